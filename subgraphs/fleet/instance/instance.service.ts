import type { FilterQuery } from '@mikro-orm/core';
import DataLoader from 'dataloader';

import type { ReadValue } from '#platform/database/one-message.js';
import { notFound } from '#platform/errors.js';
import type { Operation } from '#platform/subgraph/operation.js';
import { pageWindow, toPage, type Page, type PageArgs, type PageWindow } from '#platform/subgraph/paging.js';
import { invalidFields } from '#platform/validation.js';

import { membersOf } from '../group/group-members.service.js';
import { InstanceGroup } from '../group/group.entity.js';
import { instancesMatching } from '../group/group.filter.js';
import { MembersLoader } from '../group/members.loader.js';
import type { Hearing } from '../hearing/hearing.js';
import type { Silence } from '../hearing/hearing.rules.js';
import type { FleetSummary } from '../summary/fleet-summary.js';
import type { SummaryService } from '../summary/summary.service.js';
import { Instance } from './instance.entity.js';
import { mostIds, type InstanceFilter } from './instance.inputs.js';
import { InstanceStatus } from './instance.status.js';
import { columnsFor, type ListedInstance } from './listed-columns.js';
import { ShortLists } from './short-lists.js';

interface ReportedFacts {
  facts: Record<string, unknown>;
  reportedAt: Date | null;
}

/** Reads of instances. */
export class InstanceService {
  private readonly shortLists = new ShortLists();

  constructor(
    private readonly summaries: SummaryService,
    private readonly hearing: Hearing,
  ) {}

  /** How far silence counts in this operation, for the one status function. */
  silence({ clock }: Operation): Silence {
    return this.hearing.at(clock.now());
  }

  /** An instance of the viewer's tenant; a foreign one is NOT_FOUND, like one that never was. */
  async get(operation: Operation, id: string): Promise<Instance> {
    const instance = await this.find(operation, id);
    if (!instance) throw notFound('Instance');
    return instance;
  }

  /** The same, or null; lookups of one operation are read together. */
  async find(operation: Operation, id: string): Promise<Instance | null> {
    const loader = operation.once(InstanceService, () => {
      return new DataLoader<string, Instance | null>(async (ids) => {
        const found = await operation.em.find(Instance, {
          tenantId: operation.tenantId,
          id: { $in: [...ids] },
        });
        const byId = new Map(found.map((instance) => [instance.id, instance]));
        return ids.map((wanted) => byId.get(wanted) ?? null);
      });
    });
    return loader.load(id);
  }

  /** What an instance reports of itself, which is long and read only where it is asked for. */
  async reported(operation: Operation, id: string): Promise<ReportedFacts> {
    const loader = operation.once('reported facts', () => {
      return new DataLoader<string, ReportedFacts>(async (ids) => {
        const rows = await operation.em.execute<(ReportedFacts & { id: string })[]>(
          `select id, facts, facts_reported_at as "reportedAt" from fleet.instance
           where tenant_id = ? and id in (select jsonb_array_elements_text(?::jsonb))`,
          [operation.tenantId, JSON.stringify(ids)],
        );
        const byId = new Map(rows.map((row) => [row.id, row]));
        return ids.map((wanted) => byId.get(wanted) ?? { facts: {}, reportedAt: null });
      });
    });
    return loader.load(id);
  }

  /** Instances in the order they enrolled, with what the fields that are asked for are made of. */
  async page(
    operation: Operation,
    args: PageArgs,
    filter: InstanceFilter | null | undefined,
    fields: ReadonlySet<string>,
  ): Promise<Page<ListedInstance>> {
    const window = pageWindow(args);
    if (filter && isSearch(filter)) return this.search(operation, window, filter);
    const { countsTo } = this.silence(operation);
    const status = filter?.status;
    // Of a status as many may be looked at as there are.
    const isShort = status == null && this.shortLists.isShort(operation.tenantId, window);
    const rows = await listed(operation, window, status, { fields, countsTo, isShort });
    if (status == null && window.after === undefined)
      this.shortLists.found(operation.tenantId, rows.length, window);
    // A list that fits on its first page is counted; for others counts are at hand in all that the summary tells apart.
    const isWhole = window.after === undefined && rows.length <= window.size;
    return toPage(rows, window, async () =>
      isWhole ? rows.length : countIn(await this.summaries.summary(operation), status),
    );
  }

  /** Until when silence is heard, for what asks who is in live groups now. */
  heardTo({ clock }: Operation): Date {
    return this.hearing.surely(clock.now());
  }

  /** Who is in a group now, in the order they enrolled. */
  async members(operation: Operation, args: PageArgs, group: InstanceGroup): Promise<Page<ListedInstance>> {
    const now = this.heardTo(operation);
    return MembersLoader.of(operation, now).page(group.id, pageWindow(args));
  }

  private async search(
    operation: Operation,
    window: PageWindow,
    filter: InstanceFilter,
  ): Promise<Page<Instance>> {
    const { tenantId, em } = operation;
    const { ids } = filter;
    if (ids && ids.length > mostIds) throw invalidFields({ 'filter.ids': `At most ${mostIds}` });
    const now = this.heardTo(operation);
    const group = filter.groupId && (await em.findOne(InstanceGroup, { tenantId, id: filter.groupId }));
    const members = group ? membersOf(group, now) : filter.groupId ? { id: '' } : {};
    return matches(operation, window, {
      $and: [instancesMatching(filter, now), members, ids ? { id: { $in: ids } } : {}],
    });
  }
}

async function matches(
  { tenantId, em }: Operation,
  window: PageWindow,
  condition: FilterQuery<Instance>,
): Promise<Page<Instance>> {
  const matching: FilterQuery<Instance> = { $and: [{ tenantId }, condition] };
  const after = window.after === undefined ? {} : { id: { $gt: window.after } };
  const rows = await em.find(
    Instance,
    { $and: [matching, after] },
    { orderBy: { id: 'asc' }, limit: window.size + 1 },
  );
  return toPage(rows, window, async () => em.count(Instance, matching));
}

/** One page of the whole list, or of a status: plain rows in one round trip, as this is what is asked most. */
async function listed(
  { database, tenantId, mayLag }: Operation,
  { size, after = '' }: PageWindow,
  status: InstanceStatus | null | undefined,
  { fields, countsTo, isShort }: { fields: ReadonlySet<string>; countsTo: Date; isShort: boolean },
): Promise<ListedInstance[]> {
  const [condition, values] = conditionOf(status, countsTo, [tenantId, after, size + 1]);
  const { columns, hasStatus, times } = columnsFor(fields, database);
  return database.select<ListedInstance>(
    tenantId,
    `select ${columns} from fleet.instance
     where tenant_id = ? and id > ? and ${condition} order by id limit ?`,
    [...(hasStatus ? [countsTo] : []), tenantId, after, ...values, size + 1],
    { times, mayLag, isShort },
  );
}

type Slice = [tenantId: string, after: string, limit: number];

function conditionOf(
  status: InstanceStatus | null | undefined,
  countsTo: Date,
  slice: Slice,
): [sql: string, values: ReadValue[]] {
  switch (status) {
    case undefined:
    case null:
      return ['true', []];
    case InstanceStatus.OFFLINE: {
      const [tenantId, after, limit] = slice;
      return [`id in (${offlineIds})`, [...slice, tenantId, countsTo, countsTo, after, limit, limit]];
    }
    case InstanceStatus.HEALTHY:
    case InstanceStatus.DEGRADED:
      // `statusSql` spelled so that the index on the announced status serves it.
      return ['announced_status = ? and offline_at > ?', [status, countsTo]];
  }
}

/** One page of ids by `statusSql`: those announced offline, and those whose time has run out since. */
const offlineIds = `(select id from fleet.instance where tenant_id = ? and announced_status = 'OFFLINE' and id > ?
    order by id limit ?)
  union
  (select i.id from fleet.instance_expiry e
    join fleet.instance i on i.tenant_id = e.tenant_id and i.id = e.instance_id
    where e.tenant_id = ? and e.check_at <= ? and i.offline_at <= ? and i.id > ? order by i.id limit ?)
  order by id limit ?`;

function countIn(summary: FleetSummary, status: InstanceStatus | null | undefined): number {
  switch (status) {
    case InstanceStatus.HEALTHY:
      return summary.healthy;
    case InstanceStatus.DEGRADED:
      return summary.degraded;
    case InstanceStatus.OFFLINE:
      return summary.offline;
    case null:
    case undefined:
      return summary.totalInstances;
  }
}

/** Whether a filter asks for more than a status, which indexes and counts are made for. */
function isSearch(filter: InstanceFilter | null | undefined): boolean {
  return Boolean(filter?.q || filter?.groupId || filter?.tags?.length || filter?.ids);
}
