import { LockMode } from '@mikro-orm/core';

import type { Sweep, SweepStep } from '#platform/membership/sweep.js';
import type { Consumer } from '#platform/outbox/consumer.js';
import { auditEvent } from '#platform/subgraph/audit.js';
import type { DelegationChanged } from '#schema/events.js';

import { GitOpsConfig, GitOpsHealth } from './gitops-config.entity.js';
import { changed } from './gitops.events.js';
import { lockGrant } from './grant.service.js';

/** For people of the tenant, who take the repository up again or remove it. */
export const grantEnded = 'The access ended under which the provider had set it up';

/** Pauses what was set up under a grant that was ended, before its time or for another one. */
export const endedGrants: Consumer = {
  topics: ['identity.delegation.ended'],
  async handle(step) {
    const { em, event, now } = step;
    const { tenantId } = event;
    const { delegationId } = event.payload as unknown as DelegationChanged;
    await lockGrant(em, delegationId);
    await em.execute(
      `insert into governance.ended_grant (tenant_id, id, ended_at) values (?, ?, ?) on conflict do nothing`,
      [tenantId, delegationId, now],
    );
    const configs = await em.find(
      GitOpsConfig,
      { tenantId, grantId: delegationId },
      { lockMode: LockMode.PESSIMISTIC_WRITE, orderBy: { id: 'asc' } },
    );
    for (const config of configs) endWithGrant(step, config, event.causedBy);
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
function endWithGrant(
  { publish }: Pick<SweepStep, 'publish'>,
  config: GitOpsConfig,
  causedBy?: string,
): void {
  config.grantEndsAt = null;
  if (config.isPaused) return;
  const { tenantId, id, grantId } = config;
  Object.assign(config, {
    isPaused: true,
    pausedReason: grantEnded,
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
        changes: { isPaused: true, reason: 'GRANT_ENDED', grant: grantId },
      },
    ),
    ...(causedBy === undefined ? {} : { causedBy }),
  });
}

/** No access token lasts as long; whatever is made after it is made by someone who may. */
const rememberedMs = 24 * 60 * 60 * 1000;

/** Forgets grants that ended so long ago that no token under them can still be under way. */
export const endedGrantsSweep: Sweep = {
  name: 'ended-grant.forget',
  everyMs: 3_600_000,
  async run({ em, now }) {
    await em.execute('delete from governance.ended_grant where ended_at < ?', [
      new Date(now.getTime() - rememberedMs),
    ]);
    return 'done';
  },
};
