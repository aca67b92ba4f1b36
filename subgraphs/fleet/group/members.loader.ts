import DataLoader from 'dataloader';

import { ApiError } from '#platform/errors.js';
import type { Operation } from '#platform/subgraph/operation.js';
import { toPage, type Page, type PageWindow } from '#platform/subgraph/paging.js';

import { anyField, columnsFor, type ListedInstance } from '../instance/listed-columns.js';
import { matchesSql } from './group.filter.js';

/** What one operation may be answered: of many groups a few instances each, or few groups with all. */
const mostInstances = 20_000;

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
      `select f.* from (select g.id as "groupId", member.id from jsonb_array_elements_text(?::jsonb) as asked (id)
       join fleet.instance_group g on g.tenant_id = ? and g.id = asked.id
       cross join lateral (
         (select i.id from fleet.instance_group_member m
            join fleet.instance i on i.tenant_id = m.tenant_id and i.id = m.instance_id
            where g.kind = 'STATIC' and m.tenant_id = g.tenant_id and m.group_id = g.id and i.id > ?
            order by i.id limit ?)
         union all
         (select i.id from fleet.instance i
            where g.kind = 'LIVE' and i.tenant_id = g.tenant_id and i.id > ? and ${matchesSql}
            order by i.id limit ?)
       ) member
       limit ?) f order by f.id`,
      [JSON.stringify(groupIds), tenantId, after, size + 1, after, this.now, size + 1, left + 1],
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
      `select g.id, (case g.kind
         when 'LIVE' then (select count(*) from fleet.instance i where i.tenant_id = g.tenant_id and ${matchesSql})
         else (select count(*) from fleet.instance_group_member m
           join fleet.instance i on i.tenant_id = m.tenant_id and i.id = m.instance_id
           where m.tenant_id = g.tenant_id and m.group_id = g.id) end)::integer as count
       from jsonb_array_elements_text(?::jsonb) as asked (id)
       join fleet.instance_group g on g.tenant_id = ? and g.id = asked.id`,
      [this.now, JSON.stringify(groupIds), tenantId],
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
