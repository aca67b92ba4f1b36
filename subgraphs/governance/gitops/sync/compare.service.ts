import { CanaryStatus } from '../../canary/canary.status.js';
import type { GitOpsConfig } from '../gitops-config.entity.js';
import type { Declared, Problem } from '../manifest/resource.js';
import { actualPolicies, versionStandings, type VersionStanding } from './actual.service.js';
import type { LookStep } from './look.step.js';
import type { Asker, PanelCalls } from './panel-calls.js';
import { planOf, type Actual, type Owned, type Plan } from './plan.js';

/** What there is, beside what is declared. */
export interface Comparison extends Plan {
  actual: readonly Actual[];
  standings: readonly VersionStanding[];
  /** Whether instances are on their way to a version. */
  isProgressing: boolean;
}

export async function compare(
  panel: PanelCalls,
  step: LookStep,
  config: Pick<GitOpsConfig, 'tenantId' | 'id' | 'prune' | 'wantedSync'>,
  { declared, isRewritten }: { declared: readonly Declared[]; isRewritten: boolean },
): Promise<Comparison> {
  const { em } = step;
  const { tenantId, id, wantedSync } = config;
  const standings = await versionStandings(em, tenantId, declared);
  const actual = [
    ...(await actualPolicies(em, tenantId)),
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
  for (const change of plan.changes.filter(({ kind }) => kind === 'DesiredVersion')) {
    const standing = standings.find(({ actual: { name } }) => name === change.name);
    const wanted = declared.find(({ kind, name }) => kind === 'DesiredVersion' && name === change.name);
    const held = standing?.canary && heldBackBy(standing.canary, wanted, wantedSync !== null);
    if (!held) continue;
    change.heldBack = held.sentence;
    if (held.isProblem) problems.push({ ...wanted?.place, message: held.sentence });
  }
  return {
    ...plan,
    problems,
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

function heldBackBy(
  canary: NonNullable<VersionStanding['canary']>,
  declared: Declared | undefined,
  isByHand: boolean,
): { sentence: string; isProblem: boolean } | undefined {
  if (canary.isOpen) return { sentence: `The canary ${canary.id} is under way`, isProblem: false };
  const isSame = canary.version === declared?.spec['version'];
  if (!isSame || canary.status === CanaryStatus.SUCCEEDED || isByHand) return undefined;
  return {
    sentence: `The canary ${canary.id} ended as ${canary.status}: declare another version, or sync by hand`,
    isProblem: true,
  };
}
