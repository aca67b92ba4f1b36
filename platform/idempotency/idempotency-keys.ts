import { createHash } from 'node:crypto';

import type { SqlEntityManager } from '../database/database.js';
import { ApiError } from '../errors.js';
import type { Operation, Write } from '../subgraph/operation.js';

/** How long a key and its answer are kept. */
export const keptMs = 24 * 60 * 60 * 1000;
const keyShape = /^[\x21-\x7e]{1,255}$/;

/** The description of `idempotencyKey` of an input. */
export const idempotencyKeyText =
  'Makes the call safe to repeat for 24 hours, as the header `Idempotency-Key` does. VALIDATION_FAILED ' +
  '(IDEMPOTENCY_KEY_INVALID) unless it has 1 to 255 visible ASCII characters, (IDEMPOTENCY_KEY_REUSED) with other ' +
  'arguments than the first time.';

/** One call of a mutation that a client may repeat under a key. */
export interface RepeatableCall<Mutation extends string> {
  mutation: Mutation;
  /** The arguments: the same key with others is refused. */
  input: unknown;
  /** The key among the arguments, where the client sent one; it goes before the `Idempotency-Key` header. */
  key?: string | null | undefined;
  /** The viewer's, unless the mutation found another by a secret. */
  tenantId?: string;
}

/**
 * Makes an area's declared mutations safe to repeat. The key, the change and the answer are of one transaction: calls
 * at the same time under one key take turns, and a call that failed has left nothing, so it may be tried again.
 */
export class IdempotencyKeys<const Mutation extends string> {
  constructor(
    private readonly area: string,
    /** The mutations that look at the key; all others ignore it. */
    readonly mutations: readonly Mutation[],
  ) {}

  /**
   * The first answer under the key of a call, for work that goes outside before its transaction; undefined when there is
   * none, or no key. Refuses as `write` does.
   */
  async find<Response>(operation: Operation, call: RepeatableCall<Mutation>): Promise<Response | undefined> {
    const key = this.keyOf(operation, call);
    if (key === undefined) return undefined;
    const [kept] = await operation.em.execute<{ fingerprint: string; response: Response | null }[]>(
      `select fingerprint, response from ${this.area}.idempotency_key
       where tenant_id = ? and key = ? and expires_at > ?`,
      [operation.tenantId, key, operation.clock.now()],
    );
    if (!kept) return undefined;
    if (kept.fingerprint !== fingerprintOf(call)) throw reused(call);
    return kept.response ?? undefined;
  }

  /** The key of a call: that among its arguments, or else that of the request. */
  keyOf(operation: Operation, call: RepeatableCall<Mutation>): string | undefined {
    const given = call.key ?? operation.request.idempotencyKey;
    if (given !== undefined && !keyShape.test(given)) {
      throw refused(
        'IDEMPOTENCY_KEY_INVALID',
        'The idempotency key must have 1 to 255 visible ASCII characters',
        call,
      );
    }
    return given;
  }

  /**
   * Runs `work` in a transaction of its own and keeps its `response`, plain JSON and no secret, or makes the first call's
   * answer again by `revive`. Without a key it just runs. VALIDATION_FAILED (IDEMPOTENCY_KEY_REUSED) when the key came with another call within 24 hours.
   */
  async write<Answer, Response>(
    operation: Operation,
    call: RepeatableCall<Mutation>,
    revive: (response: Response, write: Write) => Answer,
    work: (write: Write) => Promise<{ answer: Answer; response: Response }>,
  ): Promise<Answer> {
    const key = this.keyOf(operation, call);
    const { tenantId = operation.tenantId } = call;
    if (key === undefined) return operation.write(async (write) => (await work(write)).answer, tenantId);
    const fingerprint = fingerprintOf(call);
    return operation.write(async (write) => {
      const earlier = await this.claim(write.em, { tenantId, key, fingerprint, now: operation.clock.now() });
      if (earlier) {
        if (earlier.fingerprint !== fingerprint) throw reused(call);
        write.audit({ changes: { repeated: true } });
        return revive(earlier.response as Response, write);
      }
      const { answer, response } = await work(write);
      await write.em.execute(
        `update ${this.area}.idempotency_key set response = ?::jsonb where tenant_id = ? and key = ?`,
        [JSON.stringify(response), tenantId, key],
      );
      return answer;
    }, tenantId);
  }

  /** Lets a call be tried again that was written and came to nothing after all, in the transaction that undoes it. */
  async forget(
    operation: Operation,
    { em }: Pick<Write, 'em'>,
    call: RepeatableCall<Mutation>,
  ): Promise<void> {
    const key = this.keyOf(operation, call);
    if (key === undefined) return;
    await em.execute(`delete from ${this.area}.idempotency_key where tenant_id = ? and key = ?`, [
      call.tenantId ?? operation.tenantId,
      key,
    ]);
  }

  /** Takes the key, or answers what is kept under it. Waits for another call's transaction that holds it. */
  private async claim(
    em: SqlEntityManager,
    { tenantId, key, fingerprint, now }: { tenantId: string; key: string; fingerprint: string; now: Date },
  ): Promise<{ fingerprint: string; response: unknown } | undefined> {
    // A key whose day is over is as good as new, also before the sweep has come by.
    const taken = await em.execute<unknown[]>(
      `insert into ${this.area}.idempotency_key as k (tenant_id, key, fingerprint, expires_at) values (?, ?, ?, ?)
       on conflict (tenant_id, key) do update
         set fingerprint = excluded.fingerprint, response = null, expires_at = excluded.expires_at
         where k.expires_at <= ?
       returning 1`,
      [tenantId, key, fingerprint, new Date(now.getTime() + keptMs), now],
    );
    if (taken.length > 0) return undefined;
    const [kept] = await em.execute<{ fingerprint: string; response: unknown }[]>(
      `select fingerprint, response from ${this.area}.idempotency_key where tenant_id = ? and key = ?`,
      [tenantId, key],
    );
    return kept;
  }
}

/** The same for the same arguments in any order. */
export function fingerprintOf({ mutation, input }: RepeatableCall<string>): string {
  return createHash('sha256')
    .update(JSON.stringify([mutation, sorted(input)]))
    .digest('base64url');
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== 'object' || value instanceof Date) return value;
  const entries = Object.entries(value).filter(
    ([name, inner]) => name !== 'idempotencyKey' && inner !== undefined,
  );
  return Object.fromEntries(
    entries.toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([name, inner]) => [name, sorted(inner)]),
  );
}

/** A call without `key` had it as a header; whoever does not know takes it for one of the input's. */
export function reused(call: Pick<RepeatableCall<string>, 'key'> = { key: '' }): ApiError {
  return refused('IDEMPOTENCY_KEY_REUSED', 'The idempotency key was used with another request', call);
}

function refused(reason: string, sentence: string, { key }: Pick<RepeatableCall<string>, 'key'>): ApiError {
  return new ApiError('VALIDATION_FAILED', 'Validation failed', {
    reason,
    details: { [key == null ? 'Idempotency-Key' : 'input.idempotencyKey']: sentence },
  });
}
