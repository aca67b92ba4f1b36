import { parse } from 'graphql';

import type { ServiceClient } from '#platform/auth/service-client.js';
import { ApiError } from '#platform/errors.js';
import type { Operation } from '#platform/subgraph/operation.js';
import { viewerId } from '#platform/viewer.js';

const document = parse(/* GraphQL */ `
  query AdmitServer($input: AdmissionInput!) {
    admission(input: $input) {
      refusals {
        policyId
        policyName
        resolution
        evidence {
          condition
          operator
          expected
          actual
        }
      }
    }
  }
`);

interface Refusal {
  policyId: string;
  policyName: string;
  resolution: string | null;
  evidence: { condition: string; operator: string; expected: unknown; actual: unknown };
}

export interface AskedServer {
  tags: readonly string[];
  facts: Readonly<Record<string, unknown>>;
}

/** Asks governance before servers are made. */
export class ServerAdmission {
  constructor(private readonly governance: ServiceClient) {}

  /**
   * Throws CONFLICT (POLICY_VIOLATION) when a mandatory policy does not let the server be made. When governance cannot be
   * asked, only tenants that have mandatory policies are refused: UNAVAILABLE.
   */
  async require(operation: Operation, server: AskedServer): Promise<void> {
    const [first, ...more] = await this.ask(operation, server);
    if (!first) return;
    const { policyId, policyName, resolution, evidence } = first;
    const { condition, operator, expected, actual } = evidence;
    const others = more.length > 0 ? `, and ${more.length} more` : '';
    throw new ApiError(
      'CONFLICT',
      `The mandatory policy ${policyId} (${policyName}) does not let this server be made: ` +
        `${condition} is ${JSON.stringify(actual)}, and has to be ${operator} ${JSON.stringify(expected)}${others}`,
      {
        reason: 'POLICY_VIOLATION',
        details: {
          policy: policyId,
          name: policyName,
          resolution,
          condition,
          operator,
          expected,
          actual,
          others: more.map((each) => ({ policy: each.policyId })),
        },
      },
    );
  }

  private async ask(operation: Operation, { tags, facts }: AskedServer): Promise<Refusal[]> {
    try {
      const { admission } = await this.governance.call<{ admission: { refusals: Refusal[] } }>({
        document,
        variables: {
          input: { subject: 'PROVISION', action: 'server.provision', tags, facts, isChange: true },
        },
        tenantId: operation.tenantId,
        causedBy: operation.request.requestId,
        actor: viewerId(operation.requireViewer()),
      });
      return admission.refusals;
    } catch (cause) {
      if (!(await hasMandatoryPolicies(operation))) return [];
      throw new ApiError('UNAVAILABLE', 'Whether policies let this be done cannot be asked just now', {
        retryAfterSeconds: 5,
        cause,
      });
    }
  }
}

async function hasMandatoryPolicies({ em, tenantId }: Operation): Promise<boolean> {
  const rows = await em.execute<unknown[]>(
    'select 1 from hosting.mandatory_policies where tenant_id = ? and count > 0',
    [tenantId],
  );
  return rows.length > 0;
}
