import type { DocumentNode, ExecutionResult } from 'graphql';

import { ApiError, isErrorCode } from '../errors.js';
import type { RequestContext } from '../request-context.js';
import type { ServiceTokens } from './service-token.js';

/** The gateway's door, in this process or over HTTP. */
export type RunOperation = (operation: {
  document: DocumentNode;
  variables: Record<string, unknown>;
  context: RequestContext;
}) => Promise<ExecutionResult>;

export interface ServiceCall {
  /** The area's own operation; its file lies beside the caller. */
  document: DocumentNode;
  variables: Record<string, unknown>;
  /** The tenant it acts for: the only one whose things it can see or change. */
  tenantId: string;
  /** The request or job that made it act, for logs and the audit trail. */
  causedBy: string;
  /** The user on whose behalf it acts, where there is one. */
  actor?: string;
  idempotencyKey?: string;
}

/**
 * How one area asks another to act and waits for the answer: an operation through the gateway, as a service identity
 * of one tenant that holds a closed list of permissions.
 */
export class ServiceClient {
  constructor(
    private readonly service: string,
    private readonly permissions: readonly string[],
    private readonly tokens: ServiceTokens,
    private readonly run: RunOperation,
  ) {}

  /** Answers the data, or throws the first error with its code, reason and details as the other area gave them. */
  async call<Data>({
    document,
    variables,
    tenantId,
    causedBy,
    actor,
    idempotencyKey,
  }: ServiceCall): Promise<Data> {
    const token = await this.tokens.issue(this.service, tenantId, this.permissions, actor);
    const { data, errors } = await this.run({
      document,
      variables,
      context: {
        requestId: causedBy,
        clientAddress: `svc:${this.service}`,
        authorization: `Bearer ${token}`,
        ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
      },
    });
    const [error] = errors ?? [];
    if (!error) return data as Data;
    // Over HTTP nobody has seen to it that they are there.
    const { code, reason, details, retryAfterSeconds } = error.extensions ?? {};
    throw new ApiError(isErrorCode(code) ? code : 'INTERNAL', error.message, {
      ...(typeof reason === 'string' ? { reason } : {}),
      ...(details && typeof details === 'object' ? { details: details as Record<string, unknown> } : {}),
      ...(typeof retryAfterSeconds === 'number' ? { retryAfterSeconds } : {}),
      cause: error,
    });
  }
}
