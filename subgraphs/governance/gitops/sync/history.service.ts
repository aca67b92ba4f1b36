import type { SqlEntityManager } from '#platform/database/database.js';

import { GitOpsOutcome } from '../gitops-commit.entity.js';
import type { GitOpsConfig } from '../gitops-config.entity.js';
import type { Problem } from '../manifest/resource.js';
import type { Applied } from './apply.service.js';
import type { Newest } from './newest.service.js';

const kept = 200;

interface Looked {
  row: Pick<GitOpsConfig, 'tenantId' | 'id'>;
  newest: Newest;
  applied: Applied;
  isTried: boolean;
  isInForce: boolean;
  problems: readonly Problem[];
  now: Date;
}

/** Keeps the commits that came, and what became of the one that is declared. */
export async function recordCommits(em: SqlEntityManager, looked: Looked): Promise<void> {
  const { row, newest, applied, isTried, isInForce, problems, now } = looked;
  const { tenantId, id: configId } = row;
  if (newest.commits.length > 0) {
    const isRejected = newest.problems.length > 0;
    const rows = newest.commits.map(({ sha, author, subject, authoredAt }, at) => ({
      sha,
      author,
      subject,
      authored_at: authoredAt,
      age: at,
      outcome: at > 0 ? GitOpsOutcome.PASSED : isRejected ? GitOpsOutcome.REJECTED : GitOpsOutcome.SEEN,
      problems: at === 0 ? newest.problems : [],
    }));
    // A branch may come back to where it was: then it is news again.
    await em.execute(
      `delete from governance.gitops_commit where tenant_id = ? and config_id = ?
         and sha in (select sha from jsonb_to_recordset(?::jsonb) as c (sha text))`,
      [tenantId, configId, JSON.stringify(rows)],
    );
    await em.execute(
      `insert into governance.gitops_commit
         (tenant_id, config_id, sha, author, subject, authored_at, seen_at, outcome, problems)
       select ?, ?, sha, author, subject, authored_at, ?, outcome, problems from jsonb_to_recordset(?::jsonb)
         as c (sha text, author text, subject text, authored_at timestamptz, age integer, outcome text, problems jsonb)
       order by age desc`,
      [tenantId, configId, now, JSON.stringify(rows)],
    );
    await em.execute(
      `delete from governance.gitops_commit where tenant_id = ? and config_id = ? and sha in (
         select sha from governance.gitops_commit where tenant_id = ? and config_id = ?
         order by position desc offset ?)`,
      [tenantId, configId, tenantId, configId, kept],
    );
  }
  if (!isTried && !isInForce) return;
  const isWhole = isInForce || applied.problems.length === 0;
  await em.execute(
    `update governance.gitops_commit set outcome = ?, changed = changed + ?, synced_at = coalesce(synced_at, ?), problems = ?::jsonb
     where tenant_id = ? and config_id = ? and sha = ?`,
    [
      isWhole ? GitOpsOutcome.SYNCED : GitOpsOutcome.FAILED,
      applied.done.length,
      isWhole ? now : null,
      JSON.stringify(isWhole ? [] : problems),
      tenantId,
      configId,
      newest.declaredCommit,
    ],
  );
}
