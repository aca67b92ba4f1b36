import { LockMode } from '@mikro-orm/core';

import { endGrant } from '#platform/grant/grants.js';
import type { Sweep, SweepStep } from '#platform/membership/sweep.js';
import type { Consumer } from '#platform/outbox/consumer.js';
import { auditEvent } from '#platform/subgraph/audit.js';
import type { DelegationChanged } from '#schema/events.js';

import { GitOpsConfig, GitOpsHealth } from './gitops-config.entity.js';
import { changed } from './gitops.events.js';

/** For people of the tenant, who take the repository up again or remove it. */
export const grantEnded = 'The access ended under which the provider had set it up';

/** Pauses what was set up under a grant that was ended, before its time or for another one. */
export const endedGrants: Consumer = {
  topics: ['identity.delegation.ended'],
  async handle(step) {
    const { em, event } = step;
    const { tenantId } = event;
    const { delegationId } = event.payload as unknown as DelegationChanged;
    await endGrant(step, 'governance', delegationId);
    const configs = await em.find(
      GitOpsConfig,
      { tenantId, grantId: delegationId },
      { lockMode: LockMode.PESSIMISTIC_WRITE, orderBy: { id: 'asc' } },
    );
    for (const config of configs) endWithGrant(step, config, event.causedBy);
  },
};

/** For people of the tenant as well. */
const notTheirs = 'It was set up before the owner of the address had the account';

/** Pauses what anybody had set up in an organization until the owner of its address had the account. */
export const reclaimedAccounts: Consumer = {
  topics: ['identity.account.reclaimed'],
  async handle(step) {
    const { em, event } = step;
    const configs = await em.find(
      GitOpsConfig,
      { tenantId: event.tenantId, createdAt: { $lte: event.occurredAt } },
      { lockMode: LockMode.PESSIMISTIC_WRITE, orderBy: { id: 'asc' } },
    );
    const why = { pausedReason: notTheirs, reason: 'ADDRESS_PROVED' };
    for (const config of configs) pause(step, config, why, event.causedBy);
  },
};

const atOnce = 20;

/** The same for grants that end at their time, of which nothing is told. */
export const grantsRunOutSweep: Sweep = {
  name: 'gitops.end-with-grants',
  everyMs: 5_000,
  due: 'select from governance.gitops_config where grant_ends_at <= ?',
  async run(step) {
    const configs = await step.em.find(
      GitOpsConfig,
      { grantEndsAt: { $lte: step.now } },
      { lockMode: LockMode.PESSIMISTIC_WRITE, orderBy: { grantEndsAt: 'asc', id: 'asc' }, limit: atOnce },
    );
    for (const config of configs) endWithGrant(step, config);
    return configs.length === atOnce ? 'more' : 'done';
  },
};

/** One that is paused already is taken up again by the tenant's own people as well, who are told nothing of it. */
function endWithGrant(step: Pick<SweepStep, 'publish'>, config: GitOpsConfig, causedBy?: string): void {
  config.grantEndsAt = null;
  const why = { pausedReason: grantEnded, reason: 'GRANT_ENDED', grant: config.grantId };
  pause(step, config, why, causedBy);
}

function pause(
  { publish }: Pick<SweepStep, 'publish'>,
  config: GitOpsConfig,
  { pausedReason, ...why }: { pausedReason: string; reason: string; grant?: string | null },
  causedBy?: string,
): void {
  if (config.isPaused) return;
  const { tenantId, id } = config;
  Object.assign(config, {
    isPaused: true,
    pausedReason,
    health: GitOpsHealth.SUSPENDED,
    nextCheckAt: null,
    // A look that is under way is not of these settings any more.
    requests: config.requests + 1,
  });
  changed(publish, config);
  publish({
    ...auditEvent(
      { name: 'updateGitOpsConfig', args: {} },
      {
        tenantId,
        target: id,
        actor: 'svc:governance',
        actorKind: 'service',
        clientAddress: '',
        changes: { isPaused: true, ...why },
      },
    ),
    ...(causedBy === undefined ? {} : { causedBy }),
  });
}
