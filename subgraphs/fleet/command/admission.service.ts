import { parse } from 'graphql';

import type { ServiceClient } from '#platform/auth/service-client.js';
import { ApiError } from '#platform/errors.js';
import type { Operation } from '#platform/subgraph/operation.js';
import { viewerId } from '#platform/viewer.js';

import { CommandKind } from './command.kinds.js';

const document = parse(`query AdmitCommand($input: AdmissionInput!) {
  admission(input: $input) {
    isAdmitted
    refusals { policyId policyName resolution instanceId evidence { condition operator expected actual } }
  }
}`);

interface Answer {
  admission: {
    isAdmitted: boolean;
    refusals: {
      policyId: string;
      policyName: string;
      resolution: string | null;
      instanceId: string;
      evidence: { condition: string; operator: string; expected: unknown; actual: unknown };
    }[];
  };
}

/** A command, as far as policies may have something against it. */
export interface AskedCommand {
  kind: CommandKind;
  params: Record<string, unknown>;
}

/** Asks governance before commands are sent. */
export class CommandAdmission {
  constructor(private readonly governance: ServiceClient) {}

  /**
   * Throws CONFLICT (POLICY_VIOLATION) when a mandatory policy does not let it be done on one of the instances. When
   * governance cannot be asked, only the commands of tenants that have mandatory policies are refused: UNAVAILABLE.
   */
  async require(operation: Operation, command: AskedCommand, instanceIds: readonly string[]): Promise<void> {
    const answer = await this.ask(operation, command, instanceIds);
    const [first, ...more] = answer?.admission.refusals ?? [];
    if (!first) return;
    const { policyId, policyName, resolution, instanceId, evidence } = first;
    const { condition, operator, expected, actual } = evidence;
    const others = more.length > 0 ? `, and ${more.length} more` : '';
    throw new ApiError(
      'CONFLICT',
      `The mandatory policy ${policyId} (${policyName}) does not let this be done on ${instanceId}: ` +
        `${condition} is ${JSON.stringify(actual)}, and has to be ${operator} ${JSON.stringify(expected)}${others}`,
      {
        reason: 'POLICY_VIOLATION',
        details: {
          policy: policyId,
          name: policyName,
          resolution,
          instance: instanceId,
          condition,
          operator,
          expected,
          actual,
          others: more.map((each) => ({ policy: each.policyId, instance: each.instanceId })),
        },
      },
    );
  }

  private async ask(
    operation: Operation,
    { kind, params }: AskedCommand,
    instanceIds: readonly string[],
  ): Promise<Answer | undefined> {
    const isUpdate = kind === CommandKind.UPDATE;
    try {
      return await this.governance.call<Answer>({
        document,
        variables: {
          input: {
            subject: 'INSTANCE_COMMAND',
            action: `command.${kind.toLowerCase()}`,
            instanceIds,
            facts: isUpdate ? { 'cloud_os.version': params['version'] } : {},
            isChange: isUpdate,
          },
        },
        tenantId: operation.tenantId,
        causedBy: operation.request.requestId,
        actor: viewerId(operation.requireViewer()),
      });
    } catch (cause) {
      if (!(await hasMandatoryPolicies(operation))) return undefined;
      throw new ApiError('UNAVAILABLE', 'Whether policies let this be done cannot be asked just now', {
        retryAfterSeconds: 5,
        cause,
      });
    }
  }
}

async function hasMandatoryPolicies({ em, tenantId }: Operation): Promise<boolean> {
  const rows = await em.execute<unknown[]>(
    'select 1 from fleet.mandatory_policies where tenant_id = ? and count > 0',
    [tenantId],
  );
  return rows.length > 0;
}
