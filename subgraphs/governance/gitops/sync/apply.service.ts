import { createHash } from 'node:crypto';

import { headOf } from '#platform/cut-text.js';
import { ApiError, type ErrorCode } from '#platform/errors.js';

import { GitOpsAction, GitOpsChange } from '../gitops-change.types.js';
import { type GitOpsConfig, type Refusal } from '../gitops-config.entity.js';
import { keyOf, type Declared, type Problem, type ResourceKind } from '../manifest/resource.js';
import type { DeclaredScope } from '../manifest/scope.js';
import { placeOfInput } from '../manifest/words.js';
import { askerOf, scopeOf, type Comparison } from './compare.service.js';
import { GroupNames } from './group-names.service.js';
import type { LookStep } from './look.step.js';
import type { PanelCalls } from './panel-calls.js';
import { hashOfTry, keyOfChange, placeOf, refusalOf } from './refusals.js';

export interface Applied {
  done: GitOpsChange[];
  left: GitOpsChange[];
  problems: Problem[];
  /** What was refused now, by key. What passes by itself is not counted. */
  refusals: Record<string, Refusal>;
  /** Canaries that bring versions, by the key of what declares them. */
  canaries: ReadonlyMap<string, string>;
}

/** What others refer to comes first, and what takes something away last. */
const kindOrder: readonly string[] = [
  'InstanceGroup',
  'AlertRule',
  'AlertRuleOverrides',
  'Policy',
  'DesiredVersion',
] satisfies ResourceKind[];
/** Refusals that are none of what is declared. */
const passing: ReadonlySet<ErrorCode> = new Set(['UNAVAILABLE', 'RATE_LIMITED', 'INTERNAL']);
const actionOrder: readonly GitOpsAction[] = [GitOpsAction.CREATE, GitOpsAction.UPDATE, GitOpsAction.DELETE];

/**
 * Does what is due, one thing after the other. A thing that is refused does not keep the others from being done,
 * and is told at its place in the repository. Whoever dies in between leaves a difference that the next look finds.
 */
export async function apply(
  panel: PanelCalls,
  step: LookStep,
  { id: configId, refusals: before }: Pick<GitOpsConfig, 'id' | 'refusals'>,
  { declared, declaredCommit }: { declared: readonly Declared[]; declaredCommit: string | null },
  comparison: Comparison,
  due: readonly GitOpsChange[],
  mayGoOn: () => Promise<boolean>,
): Promise<Applied> {
  const asker = askerOf(step);
  const wanted = new Map(declared.map((one) => [keyOf(one), one]));
  const there = new Map(comparison.actual.map((one) => [keyOf(one), one]));
  const done: GitOpsChange[] = [];
  // One that is declared and was refused is not there, nor will it be by itself.
  const isMade = (name: string) => {
    const key = keyOf({ kind: 'InstanceGroup', name });
    return there.has(key) || done.some((change) => keyOfChange(change) === key);
  };
  const groupIds = new Map(
    comparison.actual.flatMap(({ kind, name, id }) =>
      kind === 'InstanceGroup' ? [[name.toLowerCase(), id]] : [],
    ),
  );
  const problems: Problem[] = [];
  const refusals: Record<string, Refusal> = {};
  const canaries = new Map<string, string>();
  const goesOn: GitOpsChange[] = [];
  const doOne = async (change: GitOpsChange) => {
    const key = keyOfChange(change);
    const actual = there.get(key);
    const one = wanted.get(key);
    if (change.action === GitOpsAction.DELETE) {
      if (actual) await panel.remove(asker, actual);
      return;
    }
    if (!one) return;
    switch (one.kind) {
      case 'Policy': {
        // Read anew: a group may have been made just before.
        const groups = await GroupNames.read(step.em, asker.tenantId);
        const appliesTo = groups.scopeOf(one.spec['appliesTo'] as DeclaredScope, isMade);
        return panel.makePolicy(asker, actual?.id, { ...one, spec: { ...one.spec, appliesTo } });
      }
      case 'InstanceGroup':
        groupIds.set(one.name.toLowerCase(), await panel.makeGroup(asker, actual, one));
        return;
      case 'AlertRule':
        return panel.setRule(asker, one);
      case 'AlertRuleOverrides':
        return panel.setOverrides(asker, one, (name) => groupIds.get(name));
      case 'DesiredVersion': {
        const standing = comparison.standings.find(({ actual: { name } }) => name === one.name);
        if (!standing) return;
        const scope = scopeOf(standing, one, await GroupNames.read(step.em, asker.tenantId), isMade);
        const call = [configId, one.name, one.spec, scope, declaredCommit, standing.canary?.id];
        const idempotencyKey = createHash('sha256').update(JSON.stringify(call)).digest('hex');
        const id = await panel.bringVersion(asker, one, scope, idempotencyKey);
        canaries.set(key, id);
        // The others have theirs after it.
        if (standing.isCapped)
          goesOn.push(
            Object.assign(new GitOpsChange(), change, {
              heldBack: `The canary ${id} is under way`,
              isWaiting: true,
            }),
          );
      }
    }
  };
  const inTurn = due.toSorted(
    (a, b) =>
      actionOrder.indexOf(a.action) - actionOrder.indexOf(b.action) ||
      kindOrder.indexOf(a.kind) - kindOrder.indexOf(b.kind),
  );
  for (const change of inTurn) {
    step.signal.throwIfAborted();
    // Whoever pauses it or takes it away means now.
    if (!(await mayGoOn())) break;
    try {
      await doOne(change);
      done.push(change);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (error.extensions.reason === 'CANARY_UNDER_WAY') {
        Object.assign(change, { heldBack: error.message, isWaiting: true });
        continue;
      }
      const key = keyOfChange(change);
      const message = `${change.kind} ${change.name}: ${sentenceOf(error)}`;
      const { times = 0, tries = times } = refusalOf(before, change, wanted) ?? {};
      refusals[key] = {
        what: hashOfTry(change, wanted),
        times: passing.has(error.code) ? times : times + 1,
        tries: tries + 1,
        message,
      };
      problems.push({ ...placeOf(change), message });
    }
  }
  const left = [...comparison.changes.filter((change) => !done.includes(change)), ...goesOn];
  return { done, left, problems, refusals, canaries };
}

/** What was refused and why, in one sentence and the words of the repository. */
function sentenceOf(error: ApiError): string {
  const { details } = error.extensions;
  if (error.code !== 'VALIDATION_FAILED' || !details) return error.message;
  const sentences = Object.entries(details).map(
    ([path, sentence]) => `${placeOfInput(path)}: ${String(sentence)}`,
  );
  return headOf(sentences.join('; '), 500);
}
