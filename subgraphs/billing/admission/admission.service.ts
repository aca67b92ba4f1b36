import { parse } from 'graphql';

import type { ServiceClient } from '#platform/auth/service-client.js';
import { planEntitlements, type Plan } from '#platform/entitlement/plans.js';
import { ApiError } from '#platform/errors.js';
import type { Operation } from '#platform/subgraph/operation.js';
import { viewerId } from '#platform/viewer.js';

const document = parse(/* GraphQL */ `
  query AdmitPlan($input: AdmissionInput!) {
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

/** Something that is about to be done, as governance's `AdmissionInput` has it. */
export interface Asked {
  subject: 'PLAN_CHANGE';
  action: string;
  facts: Readonly<Record<string, unknown>>;
  isChange: boolean;
  /** How a refusal says it: `this plan be chosen`. */
  sentence: string;
}

/** What is asked before a tenant comes to another plan by itself. */
export function changeTo(plan: Plan): Asked {
  return {
    subject: 'PLAN_CHANGE',
    action: 'plan.change',
    facts: { 'plan.name': plan, 'plan.features': planEntitlements[plan].features },
    isChange: false,
    sentence: 'this plan be chosen',
  };
}

/** Asks governance before plans change. */
export class PlanAdmission {
  constructor(private readonly governance: ServiceClient) {}

  /**
   * Throws CONFLICT (POLICY_VIOLATION) when a mandatory policy does not let it be done. When governance cannot be asked,
   * only tenants that have mandatory policies are refused: UNAVAILABLE.
   */
  async require(operation: Operation, { sentence, ...input }: Asked): Promise<void> {
    const [first, ...more] = await this.ask(operation, input);
    if (!first) return;
    const { policyId, policyName, resolution, evidence } = first;
    const { condition, operator, expected, actual } = evidence;
    const others = more.length > 0 ? `, and ${more.length} more` : '';
    throw new ApiError(
      'CONFLICT',
      `The mandatory policy ${policyId} (${policyName}) does not let ${sentence}: ` +
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

  private async ask(operation: Operation, input: Omit<Asked, 'sentence'>): Promise<Refusal[]> {
    try {
      const { admission } = await this.governance.call<{ admission: { refusals: Refusal[] } }>({
        document,
        variables: { input },
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
    'select 1 from billing.mandatory_policies where tenant_id = ? and count > 0',
    [tenantId],
  );
  return rows.length > 0;
}
