import type { GitOpsConfig, WantedSync } from '../gitops-config.entity.js';
import { mostFailures } from './kinds.js';
import type { Newest } from './newest.service.js';

type Wishing = Pick<GitOpsConfig, 'wantedSync' | 'requests'>;

/** What a person asked for, as far as it is for what is declared now: of a later commit nobody has said anything. */
export function wishFor(
  { wantedSync }: Pick<GitOpsConfig, 'wantedSync'>,
  { declaredCommit }: Pick<Newest, 'declaredCommit'>,
): WantedSync | null {
  const isForAnother = wantedSync?.commit != null && wantedSync.commit !== declaredCommit;
  return isForAnother ? null : wantedSync;
}

/** Whether what was refused is tried once more because somebody asked for it: as often as anything that is refused. */
export function isWishedAgain({ wantedSync }: Pick<GitOpsConfig, 'wantedSync'>): boolean {
  return wantedSync !== null && (wantedSync.tries ?? 0) + 1 < mostFailures;
}

/** What is left of it after a look, `before` being as the look found it. What was asked for meanwhile is for the next. */
export function wishLeft(
  before: Wishing,
  { wantedSync }: Wishing,
  { declaredCommit }: Pick<Newest, 'declaredCommit'>,
  isRetried: boolean,
): WantedSync | null {
  if (wantedSync === null || (wantedSync.request ?? 0) > before.requests) return wantedSync;
  if (!isRetried || !isWishedAgain(before)) return null;
  return { ...wantedSync, commit: declaredCommit, tries: (wantedSync.tries ?? 0) + 1 };
}
