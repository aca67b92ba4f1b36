import type { SqlEntityManager } from '#platform/database/database.js';

import { openStatuses, type CanaryStatus } from '../../canary/canary.status.js';
import { readGroups } from '../../group/groups.loader.js';
import { groupIdsOf, scopeTest, type Scope, type Scoped } from '../../policy/scope.js';
import type { Declared } from '../manifest/resource.js';
import type { DeclaredScope } from '../manifest/scope.js';
import type { GroupNames } from './group-names.service.js';
import type { Actual } from './plan.js';

/** The tenant's policies, as a repository would declare them. */
export async function actualPolicies(
  em: SqlEntityManager,
  tenantId: string,
  groups: GroupNames,
): Promise<Actual[]> {
  const rows = await em.execute<(Record<string, unknown> & { id: string; name: string; appliesTo: Scope })[]>(
    `select id, name, type, description, resolution, rule, enforcement, severity, remediation, applies_to as "appliesTo"
     from governance.policy where tenant_id = ? order by id limit 200`,
    [tenantId],
  );
  return rows.map(({ id, name, appliesTo, ...spec }) => ({
    kind: 'Policy',
    id,
    name,
    spec: { ...spec, appliesTo: groups.declaredOf(appliesTo) },
  }));
}

/** A version that is declared, and where it is. */
export interface VersionStanding {
  actual: Actual;
  /** Instances that run another version, and how many: in `others` those that no canary has brought it yet. */
  count: number;
  others: string[];
  /** Whether there are more of these than a canary is for, a thousand. */
  isCapped: boolean;
  /** Whether there are some whom the canary that is under way is not for. */
  hasMore: boolean;
  /** Some that a canary has brought it, and that run another one all the same. */
  again: string[];
  /** Whether all groups are there that it is for. */
  isWhole: boolean;
  /** The canary that brings it, or was to bring it. */
  canary: Bringing | undefined;
}

export interface Bringing {
  id: string;
  status: CanaryStatus;
  /** Why it waits, or ended as it did. */
  reason: string | null;
  message: string | null;
  version: string;
  isOpen: boolean;
  /** Those of this version that have succeeded, it and the ones before it. */
  succeeded: readonly string[];
}

const atOnce = 2_000;
const mostOthers = 1_000;
const mostVersionsShown = 20;

/** How far each declared version is on the instances that it is for. What it would take is a canary. */
export async function versionStandings(
  em: SqlEntityManager,
  tenantId: string,
  declared: readonly Declared[],
  names: GroupNames,
): Promise<VersionStanding[]> {
  const versions = declared.filter(({ kind }) => kind === 'DesiredVersion');
  if (versions.length === 0) return [];
  const scopes = versions.map(({ spec }) => names.knownOf(spec['appliesTo'] as DeclaredScope));
  const groups = await readGroups(em, tenantId, scopes.flatMap(groupIdsOf));
  const bringing = await bringingOf(em, tenantId);
  const found = versions.map(({ name, spec }, at) => ({
    spec,
    isFor: scopeTest(scopes[at]!, groups),
    canary: bringing.get(name.toLowerCase()),
    others: [] as string[],
    again: [] as string[],
    seen: new Set<string>(),
    count: 0,
    isCapped: false,
    hasMore: false,
  }));
  for await (const nodes of nodesOf(em, tenantId)) {
    for (const each of found) {
      const those = nodes.filter((node) => each.isFor(node) && node.version !== each.spec['version']);
      each.count += those.length;
      for (const { version } of those) if (each.seen.size < mostVersionsShown) each.seen.add(version);
      const ids = those.map(({ id }) => id);
      const isBrought = await broughtTo(em, tenantId, succeededOf(each), ids);
      for (const id of ids) {
        const list = isBrought.has(id) ? each.again : each.others;
        if (list.length < mostOthers) list.push(id);
        else if (list === each.others) each.isCapped = true;
      }
    }
  }
  for (const each of found) {
    const { canary, others } = each;
    if (!canary?.isOpen) continue;
    const members = await broughtTo(em, tenantId, [canary.id], others);
    each.hasMore = each.isCapped || members.size < others.length;
  }
  return versions.map((one, at) => {
    const { others, again, isCapped, hasMore, seen, count, canary } = found[at]!;
    const isWhole = names.hasAllOf(one.spec['appliesTo'] as DeclaredScope);
    const spec = {
      ...one.spec,
      ...(count === 0 ? {} : { version: [...seen].toSorted().join(', ') }),
      // It is in force for nobody whom a group that is not there would have in it.
      ...(isWhole ? {} : { appliesTo: names.declaredOf(scopes[at]!) }),
    };
    return {
      actual: { kind: 'DesiredVersion', id: one.name, name: one.name, spec },
      count,
      others,
      isCapped,
      hasMore,
      again,
      isWhole,
      canary,
    };
  });
}

/** Of a version that is declared anew nothing has been brought yet. */
function succeededOf({
  spec,
  canary,
}: {
  spec: Declared['spec'];
  canary: Bringing | undefined;
}): readonly string[] {
  return canary && canary.version === spec['version'] ? canary.succeeded : [];
}

/** Of these instances those that were in one of these canaries. */
async function broughtTo(
  em: SqlEntityManager,
  tenantId: string,
  canaries: readonly string[],
  ids: readonly string[],
): Promise<ReadonlySet<string>> {
  if (canaries.length === 0 || ids.length === 0) return new Set();
  const rows = await em.execute<{ id: string }[]>(
    `select distinct instance_id as id from governance.canary_member
     where tenant_id = ? and canary_id in (select jsonb_array_elements_text(?::jsonb))
       and instance_id in (select jsonb_array_elements_text(?::jsonb))`,
    [tenantId, JSON.stringify(canaries), JSON.stringify(ids)],
  );
  return new Set(rows.map(({ id }) => id));
}

/** Those that have told their version, some at a time. */
async function* nodesOf(
  em: SqlEntityManager,
  tenantId: string,
): AsyncGenerator<(Scoped & { version: string })[]> {
  for (let after = ''; ;) {
    const nodes = await em.execute<(Scoped & { version: string | null })[]>(
      `select id, name, hostname, status, tags, facts ->> 'cloud_os.version' as version from governance.node
       where tenant_id = ? and id > ? order by id limit ?`,
      [tenantId, after, atOnce],
    );
    yield nodes.flatMap(({ version, ...node }) => (version === null ? [] : [{ ...node, version }]));
    const last = nodes.at(-1);
    if (!last || nodes.length < atOnce) return;
    after = last.id;
  }
}

/** The canaries that repositories have made, by the name of the version in lower case. */
async function bringingOf(em: SqlEntityManager, tenantId: string): Promise<Map<string, Bringing>> {
  const rows = await em.execute<(Omit<Bringing, 'isOpen'> & { key: string })[]>(
    `select r.key, c.id, c.status, c.reason, c.message, c.params ->> 'version' as version, (
       select coalesce(jsonb_agg(s.id), '[]') from governance.canary s
       where s.tenant_id = c.tenant_id and s.status = 'SUCCEEDED'
         and s.id in (select c.id union all select jsonb_array_elements_text(r.earlier_canaries))) as succeeded
     from governance.gitops_resource r join governance.canary c on c.tenant_id = r.tenant_id and c.id = r.canary_id
     where r.tenant_id = ? and r.kind = 'DesiredVersion'`,
    [tenantId],
  );
  return new Map(
    rows.map(({ key, ...canary }) => [key, { ...canary, isOpen: openStatuses.includes(canary.status) }]),
  );
}
