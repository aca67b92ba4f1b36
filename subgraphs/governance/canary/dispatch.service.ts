import type { SqlEntityManager } from '#platform/database/database.js';

import { OrderedCommand, type CommandOrder } from '../order/order.js';
import type { Canary } from './canary.entity.js';
import { CanaryStatus, type CanaryMove } from './canary.status.js';
import { perCommand } from './kinds.js';

/** A command that a canary sends. */
export interface Dispatch extends CommandOrder {
  number: number;
  isRollback: boolean;
  instanceIds: string[];
  attemptedAt: Date | string | null;
  commandId: string | null;
}

/** Some of a command's instances that become something else than the others. */
export interface Instead {
  ids: readonly string[];
  become: 'GONE' | 'REFUSED' | 'ROLLBACK_FAILED';
}

/** Those that have not ended, in the order in which they were prepared. */
export async function openDispatches(em: SqlEntityManager, { tenantId, id }: Canary): Promise<Dispatch[]> {
  return em.execute<Dispatch[]>(
    `select number, is_rollback as "isRollback", command, params, instance_ids as "instanceIds",
       attempted_at as "attemptedAt", command_id as "commandId"
     from governance.canary_dispatch where tenant_id = ? and canary_id = ? and finished_at is null order by number`,
    [tenantId, id],
  );
}

async function prepare(
  em: SqlEntityManager,
  { tenantId, id }: Canary,
  order: CommandOrder & { isRollback: boolean },
  instanceIds: readonly string[],
): Promise<void> {
  for (let from = 0; from < instanceIds.length; from += perCommand) {
    const chunk = JSON.stringify(instanceIds.slice(from, from + perCommand));
    const [{ number }] = (await em.execute<{ number: number }[]>(
      `insert into governance.canary_dispatch (tenant_id, canary_id, number, is_rollback, command, params, instance_ids)
       select ?, ?, coalesce(max(number), 0) + 1, ?, ?, ?::jsonb, ?::jsonb
       from governance.canary_dispatch where tenant_id = ? and canary_id = ? returning number`,
      [tenantId, id, order.isRollback, order.command, JSON.stringify(order.params), chunk, tenantId, id],
    )) as [{ number: number }];
    await em.execute(
      `update governance.canary_member m set ${order.isRollback ? 'rollback_dispatch' : 'dispatch'} = ?, status = ?
       where m.tenant_id = ? and m.canary_id = ? and m.instance_id in (select jsonb_array_elements_text(?::jsonb))`,
      [number, order.isRollback ? 'ROLLING_BACK' : 'SENT', tenantId, id, chunk],
    );
  }
}

/** Those whose turn comes with a step, or all that are left. Answers how many that are. */
export async function prepareStep(
  em: SqlEntityManager,
  canary: Canary,
  step: number | 'rest',
): Promise<number> {
  const rows = await em.execute<{ id: string }[]>(
    `select instance_id as id from governance.canary_member
     where tenant_id = ? and canary_id = ? and status = 'WAITING' and step <= ? order by position`,
    [canary.tenantId, canary.id, step === 'rest' ? 1_000_000 : step],
  );
  const { command, params } = canary;
  await prepare(
    em,
    canary,
    { command, params, isRollback: false },
    rows.map(({ id }) => id),
  );
  return rows.length;
}

/** What follows a step that is over: the next one, whose commands are prepared, all the others, or the end. */
export async function afterStep(
  em: SqlEntityManager,
  canary: Canary,
): Promise<[CanaryMove, Partial<Pick<Canary, 'currentStep'>>]> {
  const next = canary.currentStep + 1;
  if (next > canary.steps.length) return [(canary.counts.WAITING ?? 0) > 0 ? 'promote' : 'finish', {}];
  await prepareStep(em, canary, next);
  return ['next', { currentStep: next }];
}

/**
 * The commands that take it back wherever it was done or may have been. Answers how many instances these are, and of how
 * many nobody knows how.
 */
export async function prepareRollback(
  em: SqlEntityManager,
  canary: Canary,
): Promise<{ prepared: number; lost: number }> {
  const rows = await em.execute<{ id: string; version: string | null }[]>(
    `select instance_id as id, previous_version as version from governance.canary_member
     where tenant_id = ? and canary_id = ? and status in ('UPDATED', 'FAILED') order by position`,
    [canary.tenantId, canary.id],
  );
  const groups = new Map<string, { order: CommandOrder; ids: string[] }>();
  let lost = 0;
  for (const { id, version } of rows) {
    const order = wayBack(canary, version);
    if (!order) {
      lost += 1;
      continue;
    }
    const key = JSON.stringify(order);
    const group = groups.get(key) ?? { order, ids: [] };
    group.ids.push(id);
    groups.set(key, group);
  }
  for (const { order, ids } of groups.values())
    await prepare(em, canary, { ...order, isRollback: true }, ids);
  return { prepared: rows.length - lost, lost };
}

function wayBack({ command, rollback }: Canary, version: string | null): CommandOrder | undefined {
  if (rollback) return rollback;
  if (command !== OrderedCommand.UPDATE || version === null) return undefined;
  return { command, params: { version } };
}

/**
 * Whether anybody has the command, or is at it, of those whom the canary is at: of the newest step that has instances, or
 * of all where it is promoted.
 */
export async function isReached(
  em: SqlEntityManager,
  { tenantId, id, status, currentStep }: Canary,
): Promise<boolean> {
  const [found] = await em.execute<unknown[]>(
    `select 1 from governance.canary_member where tenant_id = ? and canary_id = ? and status in ('UPDATED', 'SENT')
       and (? or step = (select max(step) from governance.canary_member
         where tenant_id = ? and canary_id = ? and status <> 'GONE' and step <= ?)) limit 1`,
    [tenantId, id, status === CanaryStatus.PROMOTING, tenantId, id, currentStep],
  );
  return found !== undefined;
}

/** What fleet says of a command's instances, as members have it; those that are still at it stay. */
export async function takeResults(
  em: SqlEntityManager,
  { tenantId, id }: Canary,
  dispatch: Pick<Dispatch, 'number' | 'isRollback'>,
  results: readonly { instanceId: string; status: string; finishedAt: string | null }[],
): Promise<void> {
  const ended = results.flatMap(({ instanceId, status, finishedAt }) => {
    const became = (dispatch.isRollback ? afterRollback : afterCommand)[status];
    return became ? [{ instance_id: instanceId, status: became, ended_at: finishedAt }] : [];
  });
  if (ended.length === 0) return;
  await em.execute(
    `update governance.canary_member m set status = n.status, ended_at = n.ended_at
     from jsonb_to_recordset(?::jsonb) as n (instance_id text, status text, ended_at timestamptz)
     where m.tenant_id = ? and m.canary_id = ? and m.instance_id = n.instance_id and m.status = ?
       and m.${dispatch.isRollback ? 'rollback_dispatch' : 'dispatch'} = ?`,
    [JSON.stringify(ended), tenantId, id, dispatch.isRollback ? 'ROLLING_BACK' : 'SENT', dispatch.number],
  );
}

/** Whoever never began has nothing that could be taken back. */
const afterCommand: Readonly<Record<string, string>> = {
  SUCCESS: 'UPDATED',
  FAILED: 'FAILED',
  EXECUTION_TIMED_OUT: 'FAILED',
  DELIVERY_TIMED_OUT: 'UNREACHED',
  CANCELLED: 'UNREACHED',
  TERMINATED: 'UNREACHED',
  UNDELIVERABLE: 'GONE',
};

const afterRollback: Readonly<Record<string, string>> = {
  SUCCESS: 'ROLLED_BACK',
  FAILED: 'ROLLBACK_FAILED',
  EXECUTION_TIMED_OUT: 'ROLLBACK_FAILED',
  DELIVERY_TIMED_OUT: 'ROLLBACK_FAILED',
  CANCELLED: 'ROLLBACK_FAILED',
  TERMINATED: 'ROLLBACK_FAILED',
  UNDELIVERABLE: 'GONE',
};

/**
 * Of a canary that was paused while it sent: whoever was not reached so far, or was refused, has its turn again, so that
 * resuming leads on where nobody was reached.
 */
export async function prepareAgain(
  em: SqlEntityManager,
  { tenantId, id, currentStep, pausedFrom }: Canary,
): Promise<void> {
  if (pausedFrom !== CanaryStatus.RUNNING && pausedFrom !== CanaryStatus.PROMOTING) return;
  const isAll = pausedFrom === CanaryStatus.PROMOTING;
  await em.execute(
    `update governance.canary_member set status = 'WAITING', dispatch = null
     where tenant_id = ? and canary_id = ? and status in ('UNREACHED', 'REFUSED') and (? or step <= ?)`,
    [tenantId, id, isAll, currentStep],
  );
}

/** A command that will never be sent: its members are as if it had not been prepared, but for who is not there. */
export async function dropDispatch(
  em: SqlEntityManager,
  { tenantId, id }: Canary,
  { number, isRollback }: Pick<Dispatch, 'number' | 'isRollback'>,
  now: Date,
  { instead, become }: { instead?: Instead; become: 'WAITING' | 'ROLLBACK_FAILED' | 'FAILED' },
): Promise<void> {
  const column = isRollback ? 'rollback_dispatch' : 'dispatch';
  await em.execute(
    `update governance.canary_member set
       status = case when instance_id in (select jsonb_array_elements_text(?::jsonb)) then ? else ? end
     where tenant_id = ? and canary_id = ? and ${column} = ? and status = ?`,
    [
      JSON.stringify(instead?.ids ?? []),
      instead?.become ?? become,
      become,
      tenantId,
      id,
      number,
      isRollback ? 'ROLLING_BACK' : 'SENT',
    ],
  );
  await em.execute(
    `update governance.canary_dispatch set finished_at = ? where tenant_id = ? and canary_id = ? and number = ?`,
    [now, tenantId, id, number],
  );
}
