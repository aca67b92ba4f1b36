import { ApiError } from '#platform/errors.js';

import { GitOpsAction, type GitOpsChange, type GitOpsConfig } from '../gitops-config.entity.js';
import { keyOf, type Declared, type Problem, type ResourceKind } from '../manifest/resource.js';
import { askerOf, type Comparison } from './compare.service.js';
import type { LookStep } from './look.step.js';
import type { PanelCalls } from './panel-calls.js';

export interface Applied {
  done: GitOpsChange[];
  left: GitOpsChange[];
  problems: Problem[];
  /** Canaries that bring versions, by the key of what declares them. */
  canaries: ReadonlyMap<string, string>;
}

/** What others refer to comes first, and what takes something away last. */
const kindOrder: readonly string[] = [
  'InstanceGroup',
  'AlertRule',
  'Policy',
  'DesiredVersion',
] satisfies ResourceKind[];
const actionOrder: readonly GitOpsAction[] = [GitOpsAction.CREATE, GitOpsAction.UPDATE, GitOpsAction.DELETE];

/**
 * Does what is not held back, one thing after the other. A thing that is refused does not keep the others from being done,
 * and is told at its place in the repository. Whoever dies in between leaves a difference that the next look finds.
 */
export async function apply(
  panel: PanelCalls,
  step: LookStep,
  { id: configId }: Pick<GitOpsConfig, 'id'>,
  { declared, declaredCommit }: { declared: readonly Declared[]; declaredCommit: string | null },
  comparison: Comparison,
): Promise<Applied> {
  const asker = askerOf(step);
  const wanted = new Map(declared.map((one) => [keyOf(one), one]));
  const there = new Map(comparison.actual.map((one) => [keyOf(one), one]));
  const done: GitOpsChange[] = [];
  const problems: Problem[] = [];
  const canaries = new Map<string, string>();
  const doOne = async (change: GitOpsChange) => {
    const key = keyOf(change as { kind: ResourceKind; name: string });
    const actual = there.get(key);
    const one = wanted.get(key);
    if (change.action === GitOpsAction.DELETE) {
      if (actual) await panel.remove(asker, actual);
      return;
    }
    if (!one) return;
    switch (one.kind) {
      case 'Policy':
        return panel.makePolicy(asker, actual?.id, one);
      case 'InstanceGroup':
        return panel.makeGroup(asker, actual, one);
      case 'AlertRule':
        return panel.setRule(asker, one);
      case 'DesiredVersion': {
        const before = comparison.standings.find(({ actual: { name } }) => name === one.name)?.canary?.id;
        const call = `${configId}:${one.name}:${declaredCommit}:${before ?? 'first'}`;
        canaries.set(key, await panel.bringVersion(asker, one, call));
      }
    }
  };
  const inTurn = comparison.changes
    .filter(({ heldBack }) => heldBack === null)
    .toSorted(
      (a, b) =>
        actionOrder.indexOf(a.action) - actionOrder.indexOf(b.action) ||
        kindOrder.indexOf(a.kind) - kindOrder.indexOf(b.kind),
    );
  for (const change of inTurn) {
    step.signal.throwIfAborted();
    try {
      await doOne(change);
      done.push(change);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      const { file, line, kind, name } = change;
      problems.push({
        ...(file === null ? {} : { file, line }),
        message: `${kind} ${name}: ${sentenceOf(error)}`,
      });
    }
  }
  return { done, left: comparison.changes.filter((change) => !done.includes(change)), problems, canaries };
}

/** What was refused and why, in one sentence. */
function sentenceOf(error: ApiError): string {
  const { details } = error.extensions;
  if (error.code !== 'VALIDATION_FAILED' || !details) return error.message;
  return Object.entries(details)
    .map(([path, sentence]) => `${path.replace(/^input\./, '')}: ${String(sentence)}`)
    .join('; ')
    .slice(0, 500);
}
