import type { OutboxEvent } from '../outbox/outbox.js';

/** A mutation as the audit trail names it. */
export interface MutationCall {
  name: string;
  args: Record<string, unknown>;
}

export interface AuditDetails {
  /** What was done, where that is less than the mutation's name says. */
  action?: string;
  /** The id of the thing that was changed. */
  target?: string;
  /** Who acted, where the call itself carried no token: the user who logged in, the node that enrolled. */
  actor?: string;
  actorKind?: string;
  /** What is different now: field to new value, without secrets. */
  changes?: Record<string, unknown>;
}

export const auditTopic = 'audit.mutation.recorded';

const secretField =
  /password|token|secret|credential|totpCode|recoveryCode|^code$|codeVerifier|consentId|kubeconfig|privateKey|^(set)?env$/i;

/** The outbox row that identity appends to the tenant's audit chain. */
export function auditEvent(
  call: MutationCall,
  facts: AuditDetails & {
    tenantId: string;
    clientAddress: string;
    userAgent?: string;
    grant?: string;
    actorTenant?: string;
  },
): OutboxEvent {
  const { tenantId, ...rest } = facts;
  return {
    topic: auditTopic,
    tenantId,
    entityId: facts.target ?? tenantId,
    payload: { action: call.name, input: withoutSecrets(call.args), ...rest },
  };
}

/** A copy in which the value of every field whose name tells of a secret is gone. */
export function withoutSecrets(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutSecrets);
  if (value === null || typeof value !== 'object' || value instanceof Date) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [
      name,
      secretField.test(name) ? '[redacted]' : withoutSecrets(inner),
    ]),
  );
}
