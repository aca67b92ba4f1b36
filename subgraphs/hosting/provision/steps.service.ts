import type { JobStep, JobPayload, JobWrite } from '#platform/jobs/job.js';
import type { Keyring } from '#platform/secrets/keyring.js';

import type { ProviderAccount } from '../provider/account.entity.js';
import type { Accounts, Learned } from '../provider/accounts.service.js';
import type { Driver, Session } from '../provider/driver.js';
import type { ProviderError } from '../provider/provider-error.js';
import type { Asker, FleetCalls } from './fleet-calls.js';
import type { AccountPayload } from './kinds.js';
import { crowdedMs } from './pace.js';

/** What every step needs. */
export interface StepTools {
  accounts: Accounts;
  fleet: FleetCalls;
  keyring: Keyring;
  publicUrl: string;
  installer: string | undefined;
  isSuspended: (tenantId: string) => boolean;
}

/** One step's account, open for calls. */
export interface OpenAccount {
  account: ProviderAccount;
  driver: Driver;
  session: Session & { learned: Learned };
}

export function askerOf({ payload, causedBy }: JobStep<JobPayload>): Asker {
  return { tenantId: payload.tenantId, causedBy };
}

/** What a call taught about the account, kept for whoever calls next. */
export function keepLearned(
  { em }: Pick<JobWrite, 'em'>,
  { account: { tenantId, provider, sealedToken }, session: { learned } }: OpenAccount,
  failure: ProviderError | undefined,
  now: Date,
): Promise<unknown> {
  const pauseMs = failure?.kind === 'RATE_LIMITED' ? (failure.options.retryAfterMs ?? 30_000) : undefined;
  const isRefused = failure?.kind === 'UNAUTHORIZED' || failure?.kind === 'READ_ONLY';
  return em.execute(
    `update hosting.provider_account set last_checked_at = ?,
       budget_limit = coalesce(?::integer, budget_limit), budget_left = coalesce(?::integer, budget_left),
       blocked_until = case when ?::timestamptz is null then blocked_until else ?::timestamptz end,
       problem = case when ? then ? when ? then null else problem end
     where tenant_id = ? and provider = ? and sealed_token = ?`,
    [
      now,
      learned.limit,
      learned.left,
      ...Array.from({ length: 2 }, () => (pauseMs === undefined ? null : new Date(now.getTime() + pauseMs))),
      isRefused,
      failure?.message ?? null,
      failure === undefined,
      tenantId,
      provider,
      // Of another token nothing was learned.
      sealedToken,
    ],
  );
}

/** Has servers under way looked at; when that is planned already, they will be among the others. */
export function lookSoon(
  { em }: Pick<JobWrite, 'em'>,
  { tenantId, provider }: Pick<ProviderAccount, 'tenantId' | 'provider'>,
  now: Date,
): Promise<unknown> {
  return em.execute(
    `update hosting.provider_account set poll_at = coalesce(poll_at, ?), quiet_polls = 0
     where tenant_id = ? and provider = ?`,
    [now, tenantId, provider],
  );
}

/** Has an account looked at a moment later for which there was no room, unless that is planned otherwise by now. */
export async function accountAgain(
  { payload: { tenantId, provider, dueAt }, now, write }: JobStep<AccountPayload>,
  column: 'poll_at' | 'reconcile_at',
): Promise<void> {
  await write(
    async ({ em }) =>
      void (await em.execute(
        `update hosting.provider_account set ${column} = ? where tenant_id = ? and provider = ? and ${column} = ?`,
        [new Date(now.getTime() + crowdedMs), tenantId, provider, dueAt],
      )),
  );
}
