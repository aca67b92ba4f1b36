import { isDeepStrictEqual } from 'node:util';

import { GitOpsAction, type GitOpsChange, type GitOpsDifference } from '../gitops-change.types.js';
import { keyOf, type Declared, type Problem, type Resource } from '../manifest/resource.js';

/** A thing that is there. */
export interface Actual extends Resource {
  id: string;
}

/** A thing that came from a repository, by which one. */
export interface Owned {
  kind: Resource['kind'];
  name: string;
  configId: string;
}

export interface Plan {
  changes: GitOpsChange[];
  /** What can not be had at all, whatever is done. */
  problems: Problem[];
}

/** Names of things that are there for ever: they can be set, and set back, but neither made nor removed. */
const fixed: ReadonlySet<string> = new Set(['AlertRule', 'AlertRuleOverrides']);

/** What has to be done for `actual` to be as `declared` says. What came from elsewhere is not touched. */
export function planOf({
  configId,
  declared,
  actual,
  owned,
  keepRemoved,
}: {
  configId: string;
  declared: readonly Declared[];
  actual: readonly Actual[];
  owned: readonly Owned[];
  /** Why nothing is removed by itself; undefined when it is. */
  keepRemoved: string | undefined;
}): Plan {
  const there = new Map(actual.map((one) => [keyOf(one), one]));
  const owners = new Map(owned.map((one) => [keyOf(one), one]));
  const changes: GitOpsChange[] = [];
  const problems: Problem[] = [];
  for (const one of declared) {
    const { kind, name, place, spec } = one;
    const owner = owners.get(keyOf(one));
    if (owner && owner.configId !== configId) {
      problems.push({ ...place, message: `${kind} ${name} is declared by another repository of the tenant` });
      continue;
    }
    const now = there.get(keyOf(one));
    if (!now && fixed.has(kind)) {
      problems.push({ ...place, message: `There is no ${kind} ${name}` });
      continue;
    }
    if (now && kind === 'InstanceGroup' && now.spec['kind'] !== spec['kind']) {
      const kinds = `${String(now.spec['kind'])}, and is declared ${String(spec['kind'])}`;
      problems.push({ ...place, message: `The group ${name} is ${kinds}: rename one of them` });
      continue;
    }
    const differences = now ? differencesOf(now, spec, name) : [];
    if (now && differences.length === 0) continue;
    changes.push({
      action: now ? GitOpsAction.UPDATE : GitOpsAction.CREATE,
      kind,
      name,
      file: place.file,
      line: place.line,
      differences,
      heldBack: null,
    });
  }
  const wanted = new Set(declared.map(keyOf));
  for (const one of owned) {
    if (one.configId !== configId || wanted.has(keyOf(one)) || !there.has(keyOf(one))) continue;
    changes.push({
      action: GitOpsAction.DELETE,
      kind: one.kind,
      name: there.get(keyOf(one))?.name ?? one.name,
      file: null,
      line: null,
      differences: [],
      heldBack: keepRemoved ?? null,
    });
  }
  return { changes, problems };
}

function differencesOf(actual: Actual, declared: Resource['spec'], name: string): GitOpsDifference[] {
  const fields = Object.entries(declared).filter(
    ([field, value]) => !isDeepStrictEqual(plain(value), plain(actual.spec[field])),
  );
  const renamed = actual.name === name ? [] : [{ field: 'name', actual: actual.name, declared: name }];
  return [
    ...renamed,
    ...fields.map(([field, value]) => ({ field, actual: actual.spec[field] ?? null, declared: value })),
  ];
}

/** As it is after a way through JSON. */
function plain(value: unknown): unknown {
  return value === undefined ? null : (JSON.parse(JSON.stringify(value)) as unknown);
}
