import { LockMode } from '@mikro-orm/core';

import { endGrant } from '#platform/grant/grants.js';
import type { Sweep, SweepStep } from '#platform/membership/sweep.js';
import type { Consumer } from '#platform/outbox/consumer.js';
import { auditEvent } from '#platform/subgraph/audit.js';
import type { DelegationChanged } from '#schema/events.js';

import { ProviderAccount } from './account.entity.js';
import { tokenEnded } from './provider-error.js';

/** Forgets the tokens that were given under a grant that was ended, before its time or for another one. */
export const endedAccountGrants: Consumer = {
  topics: ['identity.delegation.ended'],
  async handle(step) {
    const { em, event } = step;
    const { delegationId } = event.payload as unknown as DelegationChanged;
    await endGrant(step, 'hosting', delegationId);
    const accounts = await em.find(
      ProviderAccount,
      { tenantId: event.tenantId, grantId: delegationId },
      { lockMode: LockMode.PESSIMISTIC_WRITE, orderBy: { provider: 'asc' } },
    );
    for (const account of accounts) endWithGrant(step, account, event.causedBy);
  },
};

/** Forgets what was given in an organization before the owner of an address proved that it is theirs, by whoever. */
export const reclaimedAccounts: Consumer = {
  topics: ['identity.account.reclaimed'],
  async handle(step) {
    const { em, event } = step;
    const accounts = await em.find(
      ProviderAccount,
      { tenantId: event.tenantId },
      { lockMode: LockMode.PESSIMISTIC_WRITE, orderBy: { provider: 'asc' } },
    );
    for (const account of accounts)
      if ((account.givenAt ?? account.connectedAt) <= event.occurredAt)
        forget(step, account, { reason: 'ADDRESS_PROVED' }, event.causedBy);
  },
};

const atOnce = 20;

/** The same for grants that end at their time, of which nothing is told. */
export const accountGrantsRunOutSweep: Sweep = {
  name: 'account.end-with-grants',
  everyMs: 5_000,
  due: 'select from hosting.provider_account where grant_ends_at <= ?',
  async run(step) {
    const accounts = await step.em.find(
      ProviderAccount,
      { grantEndsAt: { $lte: step.now } },
      { lockMode: LockMode.PESSIMISTIC_WRITE, orderBy: { grantEndsAt: 'asc', id: 'asc' }, limit: atOnce },
    );
    for (const account of accounts) endWithGrant(step, account);
    return accounts.length === atOnce ? 'more' : 'done';
  },
};

function endWithGrant(step: Pick<SweepStep, 'publish'>, account: ProviderAccount, causedBy?: string): void {
  forget(step, account, { reason: 'GRANT_ENDED', grant: account.grantId }, causedBy);
}

function forget(
  { publish }: Pick<SweepStep, 'publish'>,
  account: ProviderAccount,
  why: { reason: string; grant?: string | null },
  causedBy?: string,
): void {
  account.grantEndsAt = null;
  if (account.sealedToken === null) return;
  const { tenantId, id, provider } = account;
  Object.assign(account, { sealedToken: null, problem: tokenEnded });
  publish({
    ...auditEvent(
      { name: 'connectProvider', args: {} },
      {
        tenantId,
        target: id,
        actor: 'svc:hosting',
        actorKind: 'service',
        clientAddress: '',
        changes: { provider, token: null, ...why },
      },
    ),
    ...(causedBy === undefined ? {} : { causedBy }),
  });
}
