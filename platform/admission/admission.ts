import { parse, type DocumentNode } from 'graphql';

import type { ServiceClient } from '../auth/service-client.js';
import { ApiError } from '../errors.js';
import type { Operation } from '../subgraph/operation.js';
import { viewerId } from '../viewer.js';

/** What an area's service identity has to hold to ask. */
export const admissionPermissions = ['governance.admission.ask'] as const;

const refusals = /* GraphQL */ `
  refusals {
    policyId
    policyName
    resolution
    instanceId
    evidence {
      condition
      operator
      expected
      actual
    }
  }
`;
const question = parse(
  `query Admission($input: AdmissionInput!) { admission(input: $input) { ${refusals} } }`,
);
/** The same question, with all that a preview tells. */
const foresight = parse(/* GraphQL */ `
  query AdmissionForesight($input: AdmissionInput!) {
    admission(input: $input) {
      ${refusals}
      refusers { policyId policyName resolution count ${refusals} }
      refusedInstanceIds
      canaries { canaryId instances }
    }
  }
`);

/** A mandatory policy that does not let something be done. */
export interface Refusal {
  policyId: string;
  policyName: string;
  resolution: string | null;
  instanceId: string | null;
  evidence: { condition: string; operator: string; expected: unknown; actual: unknown };
}

/** The same by policy: on how many instances, and the first 20 of them. */
export interface Refuser extends Pick<Refusal, 'policyId' | 'policyName' | 'resolution'> {
  count: number;
  refusals: Refusal[];
}

/** What a preview tells beside the refusals. */
export interface Foresight {
  /** The first 100. */
  refusals: Refusal[];
  /** Every policy that refuses it. */
  refusers: Refuser[];
  /** All instances on which it is refused. */
  refusedInstanceIds: string[];
  /** Canaries under way that some of the instances are in, and how many. */
  canaries: { canaryId: string; instances: number }[];
}

/** Governance cannot be asked. Whether that holds the tenant up: it does who has mandatory policies. */
export interface Unasked {
  mustWait: boolean;
}

/** Something that is about to be done, as `AdmissionInput` has it. */
export interface Asked {
  subject: 'INSTANCE_COMMAND' | 'CANARY' | 'PROVISION' | 'PLAN_CHANGE' | 'DEPLOYMENT';
  action: string;
  instanceIds?: readonly string[];
  tags?: readonly string[];
  facts: Readonly<Record<string, unknown>>;
  isChange: boolean;
  /** How a refusal says it where it is about no instance: `this server be made`. */
  sentence: string;
}

/** Who asks, when no request does: a job for the tenant, in the name of whoever began it. */
export interface Asker extends Pick<Operation, 'em' | 'tenantId'> {
  area: string;
  causedBy: string;
  actor?: string;
}

/**
 * Asks governance before an area does something. The area keeps which tenants have mandatory policies: see
 * mandatory-policies.consumer.ts.
 */
export class Admission {
  constructor(private readonly governance: ServiceClient) {}

  /**
   * Throws CONFLICT (POLICY_VIOLATION) when a mandatory policy does not let it be done. When governance cannot be asked,
   * only tenants that have mandatory policies are refused: UNAVAILABLE.
   */
  async require(operation: Operation, asked: Asked): Promise<void> {
    await this.requireFor(askerOf(operation), asked);
  }

  /** The same where no request asks. */
  async requireFor(asker: Asker, { sentence, ...input }: Asked): Promise<void> {
    const answer = await this.ask<{ refusals: Refusal[] }>(question, asker, input);
    if (isUnasked(answer)) {
      if (answer.mustWait) throw cannotBeAsked(answer.cause);
      return;
    }
    if (answer.refusals.length > 0) throw policyViolation(answer.refusals, sentence);
  }

  /** What `require` would come to, told rather than thrown: for previews. */
  async foresee(operation: Operation, asked: Asked): Promise<Foresight | Unasked> {
    const { sentence: _sentence, ...input } = asked;
    return this.ask<Foresight>(foresight, askerOf(operation), input);
  }

  private async ask<Answer>(
    document: DocumentNode,
    { em, tenantId, area, causedBy, actor }: Asker,
    input: Omit<Asked, 'sentence'>,
  ): Promise<Answer | (Unasked & { cause: unknown })> {
    try {
      const { admission } = await this.governance.call<{ admission: Answer }>({
        document,
        variables: { input },
        tenantId,
        causedBy,
        ...(actor === undefined ? {} : { actor }),
      });
      return admission;
    } catch (cause) {
      const [known] = await em.execute<unknown[]>(
        `select 1 from ${area}.mandatory_policies where tenant_id = ? and count > 0`,
        [tenantId],
      );
      return { mustWait: known !== undefined, cause };
    }
  }
}

function askerOf(operation: Operation): Asker {
  const { em, tenantId, database, request } = operation;
  const actor = viewerId(operation.requireViewer());
  return { em, tenantId, area: database.area, causedBy: request.requestId, actor };
}

export function isUnasked<Answer extends object>(answer: Answer | Unasked): answer is Unasked {
  return 'mustWait' in answer;
}

function cannotBeAsked(cause: unknown): ApiError {
  return new ApiError('UNAVAILABLE', 'Whether policies let this be done cannot be asked just now', {
    retryAfterSeconds: 5,
    cause,
  });
}

/** What a refusal is to whoever wanted it done: the first of them, and the ids of the others. */
export function policyViolation(refusals: readonly Refusal[], sentence: string): ApiError {
  const [first, ...more] = refusals as [Refusal, ...Refusal[]];
  const { policyId, policyName, resolution, instanceId, evidence } = first;
  const { condition, operator, expected, actual } = evidence;
  const what = instanceId === null ? sentence : `this be done on ${instanceId}`;
  const others = more.length > 0 ? `, and ${more.length} more` : '';
  return new ApiError(
    'CONFLICT',
    `The mandatory policy ${policyId} (${policyName}) does not let ${what}: ` +
      `${condition} is ${JSON.stringify(actual)}, and has to be ${operator} ${JSON.stringify(expected)}${others}`,
    {
      reason: 'POLICY_VIOLATION',
      details: {
        policy: policyId,
        name: policyName,
        resolution,
        ...instanceOf(first),
        condition,
        operator,
        expected,
        actual,
        others: more.map((each) => ({ policy: each.policyId, ...instanceOf(each) })),
      },
    },
  );
}

const instanceOf = ({ instanceId }: Refusal) => (instanceId === null ? {} : { instance: instanceId });
