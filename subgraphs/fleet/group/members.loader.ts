import DataLoader from 'dataloader';

import { ApiError } from '#platform/errors.js';
import type { Operation } from '#platform/subgraph/operation.js';
import { toPage, type Page, type PageWindow } from '#platform/subgraph/paging.js';

import { anyField, columnsFor, type ListedInstance } from '../instance/listed-columns.js';
import { filteredSql, filtersSql, matchesKindSql, matchesSql } from './group.filter.js';

/** What one operation may be answered: of many groups a few instances each, or few groups with all. */
const mostInstances = 20_000;

const asked = '(select jsonb_array_elements_text(?::jsonb))';

/** How many are in each of some groups: the fleet is read once, and those with the same tags and status are one to most. */
export const countSql = `with g as materialized (${filtersSql} and id in ${asked}),
    member as materialized (${filteredSql}),
    kind as materialized (select tags, status, count(*) as count from member group by tags, status)
  select g.id, (case when g.kind = 'STATIC' then (select count(*) from fleet.instance_group_member m
        join fleet.instance i on i.tenant_id = m.tenant_id and i.id = m.instance_id
        where m.tenant_id = ? and m.group_id = g.id)
      when g.q is null then (select coalesce(sum(i.count), 0) from kind i where ${matchesKindSql})
      else (select count(*) from member i where ${matchesSql}) end)::integer as count
  from g`;

/** Pages of the instances in groups: those of many groups by two statements, and one for how many are in each. */
export class MembersLoader {
  private readonly pages = new Map<string, DataLoader<string, ListedInstance[]>>();
  private readonly counts = new DataLoader((ids: readonly string[]) => this.count(ids));
  private read = 0;
  private told = 0;
  private turn: Promise<unknown> = Promise.resolve();

  private constructor(
    private readonly operation: Operation,
    private readonly now: Date,
  ) {}

  static of(operation: Operation, now: Date): MembersLoader {
    return operation.once(MembersLoader, () => new MembersLoader(operation, now));
  }

  /** BAD_REQUEST when the operation asks for too many altogether. */
  async page(groupId: string, window: PageWindow): Promise<Page<ListedInstance>> {
    const key = JSON.stringify([window.size, window.after]);
    const loader =
      this.pages.get(key) ??
      new DataLoader((ids: readonly string[]) => this.inTurn(async () => this.readPages(ids, window)));
    this.pages.set(key, loader);
    const rows = await loader.load(groupId);
    // Also where two fields are answered by the same rows.
    this.told += Math.min(rows.length, window.size);
    if (this.told > mostInstances) throw tooMany();
    return toPage<ListedInstance>(rows, window, async () => this.counts.load(groupId));
  }

  /** One batch after another, so that none is read any more once it is too much. */
  private async inTurn(read: () => Promise<ListedInstance[][]>): Promise<ListedInstance[][]> {
    const turn = this.turn.then(read);
    this.turn = turn.catch(() => undefined);
    return turn;
  }

  private async readPages(
    groupIds: readonly string[],
    { size, after = '' }: PageWindow,
  ): Promise<ListedInstance[][]> {
    const { database, tenantId, mayLag } = this.operation;
    // With each page comes one row to tell whether it is the last.
    const left = mostInstances + groupIds.length - this.read;
    if (left <= 0) throw tooMany();
    const found = await database.select<{ groupId: string; id: string }>(
      tenantId,
      // Many groups share one look at the fleet; the page of one is looked for in its order, and no further.
      `with g as materialized (${filtersSql} and id in ${asked}),
         i as ${groupIds.length > 1 ? 'materialized' : 'not materialized'} (${filteredSql})
       select f.* from (select g.id as "groupId", member.id from g
       cross join lateral (
         (select i.id from fleet.instance_group_member m
            join fleet.instance i on i.tenant_id = m.tenant_id and i.id = m.instance_id
            where g.kind = 'STATIC' and m.tenant_id = ? and m.group_id = g.id and i.id > ?
            order by i.id limit ?)
         union all
         (select i.id from i where g.kind = 'LIVE' and i.id > ? and ${matchesSql} order by i.id limit ?)
       ) member
       limit ?) f order by f.id`,
      [
        tenantId,
        JSON.stringify(groupIds),
        this.now,
        tenantId,
        tenantId,
        after,
        size + 1,
        after,
        size + 1,
        left + 1,
      ],
      { mayLag },
    );
    this.read += found.length;
    if (found.length > left) throw tooMany();
    const instances = await this.listed([...new Set(found.map(({ id }) => id))]);
    const members = new Map(groupIds.map((id): [string, ListedInstance[]] => [id, []]));
    for (const { groupId, id } of found) {
      const instance = instances.get(id);
      if (instance) members.get(groupId)?.push(instance);
    }
    return groupIds.map((id) => members.get(id)!);
  }

  private async listed(ids: readonly string[]): Promise<Map<string, ListedInstance>> {
    const { database, tenantId, mayLag } = this.operation;
    const { columns, times } = columnsFor(anyField, database);
    const rows = await database.select<ListedInstance>(
      tenantId,
      `select ${columns} from fleet.instance
       where tenant_id = ? and id in (select jsonb_array_elements_text(?::jsonb))`,
      [tenantId, JSON.stringify(ids)],
      { times, mayLag },
    );
    return new Map(rows.map((row) => [row.id, row]));
  }

  private async count(groupIds: readonly string[]): Promise<number[]> {
    const { database, tenantId, mayLag } = this.operation;
    const rows = await database.select<{ id: string; count: number }>(
      tenantId,
      countSql,
      [tenantId, JSON.stringify(groupIds), this.now, tenantId, tenantId],
      { mayLag },
    );
    const byId = new Map(rows.map(({ id, count }) => [id, count]));
    return groupIds.map((id) => byId.get(id) ?? 0);
  }
}

function tooMany(): ApiError {
  return new ApiError('BAD_REQUEST', `Ask for at most ${mostInstances} instances of groups at once`, {
    reason: 'INSTANCES_TOO_MANY',
  });
}
