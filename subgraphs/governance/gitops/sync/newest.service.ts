import type { Entitlements } from '#platform/entitlement/entitlements.js';
import type { Keyring } from '#platform/secrets/keyring.js';

import type { GitCredential } from '../git/credential.js';
import { GitError } from '../git/git-error.js';
import type { Commit, Repositories, Source } from '../git/repository.js';
import { GitOpsCommit } from '../gitops-commit.entity.js';
import type { GitOpsConfig } from '../gitops-config.entity.js';
import { readManifest } from '../manifest/read.js';
import type { Declared, Problem } from '../manifest/resource.js';
import type { LookStep } from './look.step.js';

/** What a repository says at the moment. */
export interface Newest {
  tip: string | null;
  /** Of the newest commit that can be read. */
  declared: Declared[];
  declaredCommit: string | null;
  /** Commits that were not seen before, newest first. */
  commits: readonly Commit[];
  /** Whether the branch went elsewhere than forward. */
  isRewritten: boolean;
  /** Why the newest commit is not what is declared. */
  problems: Problem[];
  /** Nothing is compared, let alone done. */
  isHalted: boolean;
  /** Whether the host said nothing; as before where it was not asked. */
  isHostSilent: boolean | null;
  /** What git said, for the log. */
  cause?: unknown;
}

/** Looks at the branch, and reads it where it has moved on. */
export async function newestOf(
  {
    repositories,
    keyring,
    entitlements,
  }: { repositories: Repositories; keyring: Keyring; entitlements: Entitlements },
  step: LookStep,
  config: GitOpsConfig,
): Promise<Newest> {
  const before: Newest = {
    tip: config.lastSeenCommit,
    declared: config.declared,
    declaredCommit: config.declaredCommit,
    commits: [],
    isRewritten: config.isRewritten,
    problems: [],
    isHalted: false,
    isHostSilent: config.isHostSilent,
  };
  if (!(await entitlements.includes(step.em, config.tenantId, 'governance')))
    return {
      ...before,
      problems: [{ message: 'The plan includes no governance: nothing is put into force' }],
      isHalted: true,
    };
  try {
    const source = sourceOf(keyring, config);
    const tip = await repositories.tip(source, step.signal);
    const answered = { ...before, isHostSilent: false };
    if (tip === config.lastSeenCommit)
      return tip === config.declaredCommit
        ? answered
        : { ...answered, problems: await problemsOf(step, config, tip) };
    const read = await repositories.read(source, config.lastSeenCommit, step.signal);
    const { resources, problems } = await readManifest(read.files);
    const seen = {
      ...answered,
      tip: read.commit.sha,
      commits: read.commits.length > 0 ? read.commits : [read.commit],
      isRewritten: config.isRewritten || !read.isForward,
    };
    if (problems.length > 0) return { ...seen, problems: [...problems] };
    return { ...seen, declared: [...resources], declaredCommit: read.commit.sha };
  } catch (error) {
    if (!(error instanceof GitError)) throw error;
    return {
      ...before,
      problems: [{ message: error.message }],
      isHalted: true,
      isHostSilent: error.reason === 'TIMEOUT',
      cause: error.cause,
    };
  }
}

function sourceOf(keyring: Keyring, { id, repoUrl, branch, path, sealedCredential }: GitOpsConfig): Source {
  const credential =
    sealedCredential === null ? undefined : (JSON.parse(keyring.open(sealedCredential, id)) as GitCredential);
  return { url: repoUrl, branch, path, credential };
}

/** What was wrong with a commit that was read before. */
async function problemsOf({ em }: LookStep, { tenantId, id }: GitOpsConfig, sha: string): Promise<Problem[]> {
  const commit = await em.findOne(GitOpsCommit, { tenantId, configId: id, sha });
  return commit?.problems ?? [];
}
