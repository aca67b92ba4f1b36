import type { SqlEntityManager } from '#platform/database/database.js';

import { openStatuses, type CanaryStatus } from '../../canary/canary.status.js';
import { scopeTest, type Scope } from '../../policy/scope.js';
import type { Declared } from '../manifest/resource.js';
import type { Actual } from './plan.js';

/** The tenant's policies, as a repository would declare them. */
export async function actualPolicies(em: SqlEntityManager, tenantId: string): Promise<Actual[]> {
  const rows = await em.execute<(Record<string, unknown> & { id: string; name: string })[]>(
    `select id, name, type, description, resolution, rule, enforcement, severity, remediation, applies_to as "appliesTo"
     from governance.policy where tenant_id = ? order by id limit 200`,
    [tenantId],
  );
  return rows.map(({ id, name, ...spec }) => ({ kind: 'Policy', id, name, spec }));
}

interface NodeRow {
  id: string;
  tags: string[];
  version: string | null;
}

/** A version that is declared, and where it is. */
export interface VersionStanding {
  actual: Actual;
  /** The canary that brings it, or was to bring it. */
  canary: { id: string; status: CanaryStatus; version: string; isOpen: boolean } | undefined;
}

const atOnce = 2_000;

/** How far each declared version is on the instances that it is for. What it would take is a canary. */
export async function versionStandings(
  em: SqlEntityManager,
  tenantId: string,
  declared: readonly Declared[],
): Promise<VersionStanding[]> {
  const versions = declared.filter(({ kind }) => kind === 'DesiredVersion');
  if (versions.length === 0) return [];
  const tests = versions.map(({ spec }) => scopeTest(spec['appliesTo'] as Scope));
  const others = versions.map(() => new Set<string>());
  let after = '';
  for (;;) {
    const nodes = await em.execute<NodeRow[]>(
      `select id, tags, facts ->> 'cloud_os.version' as version from governance.node
       where tenant_id = ? and id > ? order by id limit ?`,
      [tenantId, after, atOnce],
    );
    for (const node of nodes)
      for (const [at, isFor] of tests.entries())
        if (isFor(node) && node.version !== versions[at]!.spec['version'] && others[at]!.size < 20)
          others[at]!.add(node.version ?? 'unknown');
    const last = nodes.at(-1);
    if (!last || nodes.length < atOnce) break;
    after = last.id;
  }
  const canaries = await em.execute<{ key: string; id: string; status: CanaryStatus; version: string }[]>(
    `select r.key, c.id, c.status, c.params ->> 'version' as version
     from governance.gitops_resource r join governance.canary c on c.tenant_id = r.tenant_id and c.id = r.canary_id
     where r.tenant_id = ? and r.kind = 'DesiredVersion'`,
    [tenantId],
  );
  return versions.map((one, at) => {
    const canary = canaries.find(({ key }) => key === one.name.toLowerCase());
    const found = [...others[at]!].toSorted();
    const spec = found.length === 0 ? one.spec : { ...one.spec, version: found.join(', ') };
    return {
      actual: { kind: 'DesiredVersion', id: one.name, name: one.name, spec },
      canary: canary && {
        id: canary.id,
        status: canary.status,
        version: canary.version,
        isOpen: openStatuses.includes(canary.status),
      },
    };
  });
}
