import { ApiError } from '#platform/errors.js';

import { CanaryStatus, isMeant } from '../../canary/canary.status.js';
import type { Scope } from '../../policy/scope.js';
import type { GitOpsConfig } from '../gitops-config.entity.js';
import { keyOf, type Declared, type Problem } from '../manifest/resource.js';
import type { DeclaredScope } from '../manifest/scope.js';
import { actualPolicies, versionStandings, type VersionStanding } from './actual.service.js';
import { GroupNames } from './group-names.service.js';
import { mostFailures } from './kinds.js';
import type { LookStep } from './look.step.js';
import type { Asker, PanelCalls } from './panel-calls.js';
import { planOf, type Actual, type Owned, type Plan } from './plan.js';
import { placeOf, refusalOf } from './refusals.js';

/** What there is, beside what is declared. */
export interface Comparison extends Plan {
  actual: readonly Actual[];
  standings: readonly VersionStanding[];
  /** Canaries that stand still because somebody is to say so, or said so: told with the problems, and none themselves. */
  waiting: readonly Problem[];
  /** Whether instances are on their way to a version. */
  isProgressing: boolean;
}

export async function compare(
  panel: PanelCalls,
  step: LookStep,
  config: Pick<GitOpsConfig, 'tenantId' | 'id' | 'prune' | 'wantedSync' | 'refusals'>,
  { declared, isRewritten }: { declared: readonly Declared[]; isRewritten: boolean },
): Promise<Comparison> {
  const { em } = step;
  const { tenantId, id, wantedSync } = config;
  const groups = await GroupNames.read(em, tenantId);
  const standings = await versionStandings(em, tenantId, declared, groups);
  const actual = [
    ...(await actualPolicies(em, tenantId, groups)),
    ...(await panel.read(askerOf(step), declared)),
    ...standings.map((standing) => standing.actual),
  ];
  const owned = await em.execute<Owned[]>(
    `select kind, name, config_id as "configId" from governance.gitops_resource where tenant_id = ?`,
    [tenantId],
  );
  const plan = planOf({
    configId: id,
    declared,
    actual,
    owned,
    keepRemoved: keepRemoved(config, isRewritten),
  });
  const problems: Problem[] = [...plan.problems];
  const byKey = new Map(declared.map((one) => [keyOf(one), one]));
  for (const change of plan.changes) {
    const refusal = wantedSync ? undefined : refusalOf(config.refusals, change, byKey);
    if (!refusal || refusal.times < mostFailures) continue;
    change.heldBack = `It was refused ${refusal.times} times: ${refusal.message}`;
    problems.push({ ...placeOf(change), message: refusal.message });
  }
  for (const change of plan.changes.filter(({ kind }) => kind === 'DesiredVersion')) {
    const standing = standings.find(({ actual: { name } }) => name === change.name);
    const wanted = declared.find(({ kind, name }) => kind === 'DesiredVersion' && name === change.name);
    const held = standing && heldBackBy(standing, wanted, wantedSync !== null);
    if (!held) continue;
    Object.assign(change, { heldBack: held.sentence, isWaiting: held.isWaiting === true });
    if (held.isProblem) problems.push({ ...wanted?.place, message: held.sentence });
  }
  const waiting: Problem[] = [];
  for (const { actual: version, canary } of standings) {
    if (canary?.status !== CanaryStatus.PAUSED) continue;
    const why = canary.message ?? canary.reason;
    const sentence = `The canary ${canary.id} is paused and waits for somebody${why === null ? '' : `: ${why}`}`;
    const told = isMeant(canary) ? waiting : problems;
    told.push({ ...byKey.get(keyOf(version))?.place, message: sentence });
  }
  return {
    ...plan,
    problems,
    waiting,
    actual,
    standings,
    isProgressing: standings.some(({ canary }) => canary?.isOpen === true),
  };
}

export function askerOf({ payload, causedBy }: LookStep): Asker {
  return { tenantId: payload.tenantId, causedBy };
}

function keepRemoved(
  { prune, wantedSync }: Pick<GitOpsConfig, 'prune' | 'wantedSync'>,
  isRewritten: boolean,
): string | undefined {
  if (wantedSync?.prune) return undefined;
  if (!prune) return 'Pruning is off: a sync by hand with `prune` removes it';
  return isRewritten
    ? 'The history of the branch was written anew: a sync by hand with `prune` removes it'
    : undefined;
}

/** Why no canary is made for a version: one is under way, or has been there already. */
function heldBackBy(
  { canary, count, others, hasMore, isWhole }: VersionStanding,
  declared: Declared | undefined,
  isByHand: boolean,
): { sentence: string; isProblem: boolean; isWaiting?: boolean } | undefined {
  if (!canary) return undefined;
  if (canary.isOpen)
    return {
      sentence: `The canary ${canary.id} is under way`,
      isProblem: false,
      // What that one does not bring, another one does after it.
      isWaiting: canary.version !== declared?.spec['version'] || hasMore,
    };
  if (canary.version !== declared?.spec['version'] || isByHand) return undefined;
  const way = 'declare another version, or sync by hand';
  if (canary.status !== CanaryStatus.SUCCEEDED)
    return { sentence: `The canary ${canary.id} ended as ${canary.status}: ${way}`, isProblem: true };
  // Those that came since are no reason to begin anew with those that it was for.
  if (!isWhole || others.length > 0) return undefined;
  return {
    sentence: `${count} instances run another version still, after the canary ${canary.id}: ${way}`,
    isProblem: true,
  };
}

/**
 * Whom a canary for a version is for: those that run another one and were not in one before, a thousand at a time; where all
 * were, and somebody wants it by hand, these once more. Throws where a group is not there, as `GroupNames` does.
 */
export function scopeOf(
  { others, again, isWhole }: VersionStanding,
  declared: Declared,
  groups: GroupNames,
  isMade: (name: string) => boolean,
): Scope {
  groups.scopeOf(declared.spec['appliesTo'] as DeclaredScope, isMade);
  // Who is in it was not told when this look began.
  if (!isWhole) throw new ApiError('UNAVAILABLE', 'A group of it has become known just now');
  return { instance_ids: others.length > 0 ? others : again };
}
