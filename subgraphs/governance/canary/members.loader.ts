import DataLoader from 'dataloader';

import { invalid } from '#platform/errors.js';
import type { Operation } from '#platform/subgraph/operation.js';

import type { CanaryMembersArgs } from './canary.inputs.js';
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
