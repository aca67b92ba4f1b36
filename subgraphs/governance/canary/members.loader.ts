import DataLoader from 'dataloader';

import { invalid } from '#platform/errors.js';
import type { Operation } from '#platform/subgraph/operation.js';
import { foreignCursor, pageWindow, toPage, type Page } from '#platform/subgraph/paging.js';

import type { CanaryMemberPageArgs, CanaryMembersArgs } from './canary.inputs.js';
import type { CanaryMember } from './member.entity.js';

const most = 1_000;

/** The instances of one canary, in the order in which it comes to them; of many canaries by one statement. */
export async function membersOf(
  operation: Operation,
  canaryId: string,
  args: CanaryMembersArgs,
): Promise<CanaryMember[]> {
  const limit = args.first ?? 100;
  if (limit < 1 || limit > most) throw invalid('first', `First must be from 1 to ${most}`);
  if ((args.instanceIds?.length ?? 0) > most) throw invalid('instanceIds', `At most ${most} instances`);
  const loader = operation.once(
    `canary members ${JSON.stringify(args)}`,
    () => new DataLoader((ids: readonly string[]) => load(operation, ids, args, limit)),
  );
  return loader.load(canaryId);
}

/** The same with what follows. A page ends at a position. */
export async function memberPageOf(
  operation: Operation,
  canaryId: string,
  { status, instanceIds, ...args }: CanaryMemberPageArgs,
): Promise<Page<CanaryMember>> {
  const window = pageWindow(args);
  if (window.after !== undefined && !/^\d{1,9}$/.test(window.after)) throw foreignCursor();
  const after = window.after === undefined ? null : Number(window.after);
  const which = { status: status ?? null, instanceIds: instanceIds ?? null };
  const found = await membersOf(operation, canaryId, { ...which, after, first: window.size + 1 });
  const rows = found.map((member) => Object.assign(member, { id: String(member.position) }));
  return toPage(rows, window, () =>
    operation
      .once(
        `canary members counted ${JSON.stringify(which)}`,
        () => new DataLoader((ids: readonly string[]) => count(operation, ids, which)),
      )
      .load(canaryId),
  );
}

type Which = Pick<CanaryMembersArgs, 'status' | 'instanceIds'>;

async function count(
  { em, tenantId }: Operation,
  canaryIds: readonly string[],
  { status, instanceIds }: Which,
): Promise<number[]> {
  const instances = instanceIds ? JSON.stringify(instanceIds) : null;
  const rows = await em.execute<{ id: string; count: number }[]>(
    `select canary_id as id, count(*)::integer as count from governance.canary_member
     where tenant_id = ? and canary_id in (select jsonb_array_elements_text(?::jsonb))
       and (?::text is null or status = ?)
       and (?::jsonb is null or instance_id in (select jsonb_array_elements_text(?::jsonb)))
     group by canary_id`,
    [tenantId, JSON.stringify(canaryIds), status, status, instances, instances].map((value) => value ?? null),
  );
  const byCanary = new Map(rows.map((row) => [row.id, row.count]));
  return canaryIds.map((id) => byCanary.get(id) ?? 0);
}

async function load(
  { em, tenantId }: Operation,
  canaryIds: readonly string[],
  { after, status, instanceIds }: CanaryMembersArgs,
  limit: number,
): Promise<CanaryMember[][]> {
  const instances = instanceIds ? JSON.stringify(instanceIds) : null;
  const rows = await em.execute<CanaryMember[]>(
    `select m.* from jsonb_array_elements_text(?::jsonb) as c (id) cross join lateral (
       select canary_id as "canaryId", instance_id as "instanceId", position, step, status,
         previous_version as "previousVersion"
       from governance.canary_member
       where tenant_id = ? and canary_id = c.id and position > ? and (?::text is null or status = ?)
         and (?::jsonb is null or instance_id in (select jsonb_array_elements_text(?::jsonb)))
       order by position limit ?) m
     order by m."canaryId", m.position`,
    [JSON.stringify(canaryIds), tenantId, after ?? -1, status, status, instances, instances, limit].map(
      (value) => value ?? null,
    ),
  );
  const byCanary = new Map(canaryIds.map((id): [string, CanaryMember[]] => [id, []]));
  for (const row of rows) byCanary.get(row.canaryId)?.push(row);
  return canaryIds.map((id) => byCanary.get(id) ?? []);
}
