import { useState } from 'react';

import { useRead } from '../api/use-read.ts';
import { GitOpsCommitsDocument } from '../generated/graphql.ts';
import { Problem } from '../parts/problem.tsx';
import { Status } from '../parts/status.tsx';
import { Time } from '../parts/time.tsx';
import { plural } from '../parts/words.ts';
import type { GitOpsConfig } from './gitops-fields.tsx';

export const short = (commit: string) => commit.slice(0, 8);

/** The newest commits of a repository, and what came of each: read once somebody wants to see them. */
export function Commits({ config }: { config: GitOpsConfig }) {
  const [isOpen, setIsOpen] = useState(false);
  const { id, name, lastSeenCommit, lastSyncedCommit, syncStatus } = config;
  return (
    <details onToggle={({ currentTarget }) => setIsOpen(currentTarget.open)}>
      <summary>Commits of {name}</summary>
      {isOpen && <Newest key={[lastSeenCommit, lastSyncedCommit, syncStatus].join()} id={id} />}
    </details>
  );
}

function Newest({ id }: { id: string }) {
  const { data, told, read } = useRead(GitOpsCommitsDocument, {
    variables: { id },
    requestPolicy: 'cache-and-network',
  });
  if (!data) return told ? <Problem told={told} retry={read} /> : <p className="quiet">Reading…</p>;
  const { commits } = data.gitOpsConfig;
  if (commits.length === 0) return <p>No commit was seen yet.</p>;
  return (
    <ul className="lines">
      {commits.map(({ sha, author, subject, authoredAt, outcome, changed, syncedAt, problems }) => (
        <li key={sha}>
          <Status of={outcome} /> <code>{short(sha)}</code> {subject}
          <p className="quiet">
            by {author} <Time at={authoredAt} />
            {syncedAt && (
              <>
                , {plural(changed, 'change')} put into force <Time at={syncedAt} />
              </>
            )}
          </p>
          {problems.map(({ file, line, message }, at) => (
            <p key={at} className="wrong">
              {file && `${file}:${line ?? 1}: `}
              {message}
            </p>
          ))}
        </li>
      ))}
    </ul>
  );
}
