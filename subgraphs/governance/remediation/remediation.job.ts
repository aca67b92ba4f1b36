import { LockMode } from '@mikro-orm/core';

import { headOf } from '#platform/cut-text.js';
import { ApiError } from '#platform/errors.js';
import type { JobDefinition, JobStep } from '#platform/jobs/job.js';
import { dueSweep } from '#platform/membership/due-sweep.js';
import type { Sweep } from '#platform/membership/sweep.js';
import type { Consumer } from '#platform/outbox/consumer.js';
import type { CommandProgressed } from '#schema/events.js';

import type { Asker, FleetCalls } from '../order/fleet-calls.js';
import {
  certainMs,
  claimMs,
  deadlineSeconds,
  lookMs,
  mostAnHour,
  mostAtOnce,
  pauseMs,
  remediateKind,
  suspendedMs,
  type RemediationPayload,
} from './kinds.js';
import { remediationOf } from './order-of.js';
import { PolicyRemediation, RemediationStatus } from './remediation.entity.js';
import { remediationChanged } from './remediation.events.js';
import { requestRemediations } from './request.service.js';

type Step = JobStep<RemediationPayload>;

/** Sends a remediation's command once, and keeps how it ended. */
export function remediationJob(
  fleet: FleetCalls,
  isSuspended: (tenantId: string) => boolean,
): JobDefinition<RemediationPayload> {
  return {
    ...remediateKind,
    async handle(step) {
      const { tenantId, remediationId: id } = step.payload;
      const row = await step.em.findOne(PolicyRemediation, { tenantId, id });
      if (!row || row.finishedAt) return;
      if (isSuspended(tenantId))
        return change(step, (put) => {
          put.dueAt = later(step.now, suspendedMs);
        });
      const asker = { tenantId, causedBy: step.causedBy, actor: row.requestedBy };
      const commandId = row.commandId ?? (await send(fleet, step, asker, row));
      if (commandId) await look(fleet, step, asker, commandId);
    },
  };
}

async function send(
  fleet: FleetCalls,
  step: Step,
  asker: Asker,
  { id, attemptedAt, command, params, instanceId }: PolicyRemediation,
): Promise<string | undefined> {
  if (attemptedAt && step.now.getTime() - attemptedAt.getTime() > certainMs) {
    await end(step, RemediationStatus.FAILED, 'Nobody knows whether the command was sent a day ago');
    return undefined;
  }
  await change(step, (row) => {
    row.attemptedAt ??= step.now;
  });
  try {
    const order = { command, params, instanceIds: [instanceId], deadlineSeconds, ignoresWindows: false };
    const commandId = await fleet.send(asker, order, `remediation.${id}`);
    await change(step, (row) => {
      Object.assign(row, { commandId, status: RemediationStatus.SENT, dueAt: later(step.now, lookMs) });
    });
    return commandId;
  } catch (error) {
    const isOver =
      error instanceof ApiError &&
      ['CONFLICT', 'VALIDATION_FAILED', 'FORBIDDEN', 'NOT_FOUND'].includes(error.code);
    if (!isOver) throw error;
    if (isGone(error)) await end(step, RemediationStatus.UNREACHED, null);
    else await end(step, RemediationStatus.REFUSED, headOf(error.message, 1_000));
    return undefined;
  }
}

/** Whether fleet knows the instance no more. */
function isGone({ code, extensions: { details } }: ApiError): boolean {
  return code === 'VALIDATION_FAILED' && details !== undefined && 'input.instanceIds.0' in details;
}

const became: Readonly<Record<string, RemediationStatus>> = {
  SUCCESS: RemediationStatus.SUCCEEDED,
  FAILED: RemediationStatus.FAILED,
  EXECUTION_TIMED_OUT: RemediationStatus.FAILED,
  TERMINATED: RemediationStatus.FAILED,
  CANCELLED: RemediationStatus.UNREACHED,
  DELIVERY_TIMED_OUT: RemediationStatus.UNREACHED,
  UNDELIVERABLE: RemediationStatus.UNREACHED,
};

async function look(fleet: FleetCalls, step: Step, asker: Asker, commandId: string): Promise<void> {
  const { results } = await fleet.results(asker, commandId);
  const ended = became[results[0]?.status ?? ''];
  if (ended) return end(step, ended, null);
  await change(step, (row) => {
    row.dueAt = later(step.now, lookMs);
  });
}

async function end(step: Step, status: RemediationStatus, message: string | null): Promise<void> {
  await change(step, (row) => {
    Object.assign(row, { status, message, finishedAt: step.now, dueAt: null });
  });
}

async function change(step: Step, how: (row: PolicyRemediation) => void): Promise<void> {
  const { tenantId, remediationId: id } = step.payload;
  await step.write(async ({ em, publish }) => {
    const row = await em.findOne(
      PolicyRemediation,
      { tenantId, id },
      { lockMode: LockMode.PESSIMISTIC_WRITE },
    );
    if (!row || row.finishedAt) return;
    const before = row.status;
    how(row);
    if (row.status !== before) remediationChanged(publish, row);
  });
}

/** Has remediations looked at that are due. */
export const remediationsDueSweep = dueSweep({
  name: 'remediation.due',
  everyMs: 1_000,
  table: 'governance.remediation',
  claimMs,
  job: remediateKind,
  payload: (tenantId, remediationId) => ({ tenantId, remediationId }),
});

const automaticEveryMs = 30_000;

/**
 * Asks for what is automatic: one policy in a run. Limits are of the rows themselves, so that no restart and no other
 * process exceeds them.
 */
export const automaticSweep: Sweep = {
  name: 'remediation.automatic',
  everyMs: 5_000,
  due: 'select from governance.policy where remediate_at <= ?',
  async run({ em, now, enqueue, publish }) {
    const [due] = await em.execute<{ tenantId: string; policyId: string }[]>(
      `select tenant_id as "tenantId", id as "policyId" from governance.policy
       where remediate_at <= ? order by remediate_at limit 1`,
      [now],
    );
    if (!due) return 'done';
    const { tenantId, policyId } = due;
    const [policy] = await em.execute<Parameters<typeof remediationOf>[0][]>(
      `update governance.policy set remediate_at = ? where tenant_id = ? and id = ? returning id, rule, remediation`,
      [later(now, automaticEveryMs), tenantId, policyId],
    );
    const order = policy && remediationOf(policy);
    if (!order) return 'more';
    const [{ recent, open }] = (await em.execute<{ recent: number; open: number }[]>(
      `select (select count(*)::integer from governance.remediation
           where tenant_id = ? and policy_id = ? and is_automatic and created_at > ?) as recent,
         (select count(*)::integer from governance.remediation
           where tenant_id = ? and policy_id = ? and is_automatic and finished_at is null) as open`,
      [tenantId, policyId, later(now, -3_600_000), tenantId, policyId],
    )) as [{ recent: number; open: number }];
    const room = Math.min(mostAtOnce - open, mostAnHour - recent);
    if (room <= 0) return 'more';
    // Whoever has waited longest comes first: where it does not help some, the others have their turn all the same.
    const failing = await em.execute<{ id: string }[]>(
      `select r.instance_id as id from governance.result r
       left join lateral (
         select m.created_at, m.finished_at from governance.remediation m
         where m.tenant_id = r.tenant_id and m.policy_id = r.policy_id and m.instance_id = r.instance_id
         order by m.created_at desc limit 1) last on true
       where r.tenant_id = ? and r.policy_id = ? and r.status = 'FAIL'
         and (last.created_at is null or (last.finished_at is not null and last.created_at <= ?))
       order by last.created_at nulls first, r.instance_id limit ?`,
      [tenantId, policyId, later(now, -pauseMs), room],
    );
    const begun = await requestRemediations(
      { em, publish },
      {
        tenantId,
        policyId,
        order,
        instanceIds: failing.map(({ id }) => id),
        isAutomatic: true,
        requestedBy: 'svc:governance',
        dueAt: later(now, claimMs),
        now,
      },
    );
    for (const remediationId of begun) enqueue(remediateKind, { tenantId, remediationId });
    return 'more';
  },
};

const keptMs = 90 * 24 * 60 * 60_000;

/** Forgets remediations that ended long ago. */
export const remediationRetentionSweep: Sweep = {
  name: 'remediation.retention',
  everyMs: 3_600_000,
  async run({ em, now }) {
    const [first] = await em.execute<{ tenantId: string }[]>(
      'select tenant_id as "tenantId" from governance.remediation where finished_at < ? order by finished_at limit 1',
      [later(now, -keptMs)],
    );
    if (!first) return 'done';
    await em.execute(
      `delete from governance.remediation where tenant_id = ? and id in (
         select id from governance.remediation where tenant_id = ? and finished_at < ? order by finished_at limit 1000)`,
      [first.tenantId, first.tenantId, later(now, -keptMs)],
    );
    return 'more';
  },
};

/** A remediation looks at its command when fleet tells of it. */
export const followRemediations: Consumer = {
  topics: ['fleet.command.progressed'],
  async handle({ em, event, now }) {
    const { commandId } = event.payload as unknown as CommandProgressed;
    await em.execute(
      'update governance.remediation set due_at = ? where tenant_id = ? and command_id = ? and finished_at is null',
      [now, event.tenantId, commandId],
    );
  },
};

function later(now: Date, ms: number): Date {
  return new Date(now.getTime() + ms);
}
