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
  /** Instances that run another version; of more than a thousand, or where a group is not there, some: `areAll` is false. */
  others: string[];
  areAll: boolean;
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
  /** Of `others`, those that it was for. */
  members: ReadonlySet<string>;
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
  const found = versions.map(({ spec }, at) => ({
    spec,
    isFor: scopeTest(scopes[at]!, groups),
    ids: [] as string[],
    seen: new Set<string>(),
    count: 0,
  }));
  for await (const node of nodesOf(em, tenantId)) {
    for (const each of found) {
      if (!each.isFor(node) || node.version === each.spec['version']) continue;
      each.count += 1;
      if (each.ids.length < mostOthers) each.ids.push(node.id);
      if (each.seen.size < mostVersionsShown) each.seen.add(node.version);
    }
  }
  const bringing = await bringingOf(
    em,
    tenantId,
    new Map(versions.map(({ name }, at) => [name, found[at]!.ids])),
  );
  return versions.map((one, at) => {
    const { ids, seen, count } = found[at]!;
    const isWhole = names.hasAllOf(one.spec['appliesTo'] as DeclaredScope);
    const spec = {
      ...one.spec,
      ...(count === 0 ? {} : { version: [...seen].toSorted().join(', ') }),
      // It is in force for nobody whom a group that is not there would have in it.
      ...(isWhole ? {} : { appliesTo: names.declaredOf(scopes[at]!) }),
    };
    return {
      actual: { kind: 'DesiredVersion', id: one.name, name: one.name, spec },
      others: ids,
      areAll: isWhole && count === ids.length,
      canary: bringing.get(one.name.toLowerCase()),
    };
  });
}

/** Those that have told their version. */
async function* nodesOf(
  em: SqlEntityManager,
  tenantId: string,
): AsyncGenerator<Scoped & { version: string }> {
  for (let after = ''; ;) {
    const nodes = await em.execute<(Scoped & { version: string | null })[]>(
      `select id, name, hostname, status, tags, facts ->> 'cloud_os.version' as version from governance.node
       where tenant_id = ? and id > ? order by id limit ?`,
      [tenantId, after, atOnce],
    );
    for (const { version, ...node } of nodes) if (version !== null) yield { ...node, version };
    const last = nodes.at(-1);
    if (!last || nodes.length < atOnce) return;
    after = last.id;
  }
}

/** The canaries that repositories have made, by the name of the version in lower case. */
async function bringingOf(
  em: SqlEntityManager,
  tenantId: string,
  others: ReadonlyMap<string, readonly string[]>,
): Promise<Map<string, Bringing>> {
  const rows = await em.execute<
    (Omit<Bringing, 'isOpen' | 'members'> & { key: string; members: string[] | null })[]
  >(
    `select r.key, c.id, c.status, c.reason, c.message, c.params ->> 'version' as version, (
       select array_agg(m.instance_id) from governance.canary_member m
       join jsonb_to_recordset(?::jsonb) as o (name text, id text) on lower(o.name) = r.key and o.id = m.instance_id
       where m.tenant_id = c.tenant_id and m.canary_id = c.id) as members
     from governance.gitops_resource r join governance.canary c on c.tenant_id = r.tenant_id and c.id = r.canary_id
     where r.tenant_id = ? and r.kind = 'DesiredVersion'`,
    [JSON.stringify([...others].flatMap(([name, ids]) => ids.map((id) => ({ name, id })))), tenantId],
  );
  return new Map(
    rows.map(({ key, members, ...canary }) => [
      key,
      { ...canary, isOpen: openStatuses.includes(canary.status), members: new Set(members) },
    ]),
  );
}
