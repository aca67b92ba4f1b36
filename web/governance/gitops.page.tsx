import { useState } from 'react';

import { problemOf } from '../api/problem.ts';
import { useFollowed } from '../api/use-followed.ts';
import { usePages } from '../api/use-pages.ts';
import {
  DeleteGitOpsConfigDocument,
  GitOpsConfigChangedDocument,
  GitOpsConfigsDocument,
  RefreshGitOpsConfigDocument,
  SyncGitOpsConfigDocument,
  UpdateGitOpsConfigDocument,
} from '../generated/graphql.ts';
import { Action } from '../parts/action.tsx';
import { changedOf } from '../parts/changed.ts';
import { FormDialog } from '../parts/form-dialog.tsx';
import { Listing } from '../parts/listing.tsx';
import { Page } from '../parts/page.tsx';
import { Status } from '../parts/status.tsx';
import { Time } from '../parts/time.tsx';
import { plural, words } from '../parts/words.ts';
import { useViewer } from '../session/viewer.tsx';
import { Commits, short } from './commits.tsx';
import { GitOpsFields, gitOpsOf, settingsOf, type GitOpsConfig } from './gitops-fields.tsx';
import { NewGitOps } from './new-gitops.tsx';
import { GovernanceTabs } from './tabs.tsx';

/** Repositories that declare what governs, and what stands between them and what there is. */
export default function GitOpsPage() {
  const { may } = useViewer();
  const { rows, error, hasMore, more, reload } = usePages(
    GitOpsConfigsDocument,
    {},
    ({ gitOpsConfigs }) => gitOpsConfigs,
  );
  useFollowed(GitOpsConfigChangedDocument, {}, reload);
  return (
    <Page title="GitOps" actions={<GovernanceTabs />}>
      <div className="cards">
        <Listing
          title="Repositories"
          rows={rows}
          told={error && problemOf(error)}
          retry={reload}
          more={hasMore ? more : undefined}
          empty="None is followed yet. Name one below: its files declare policies, and you see the difference before anything changes."
          keyOf={({ id }) => id}
          render={(config) => <Repository config={config} onChange={reload} />}
        />
        {may('governance.gitops.manage') && <NewGitOps onMade={reload} />}
      </div>
    </Page>
  );
}

function Repository({ config, onChange }: { config: GitOpsConfig; onChange: () => void }) {
  const { may } = useViewer();
  /** As it was when editing began. */
  const [edited, setEdited] = useState<GitOpsConfig>();
  const { id, name, repoUrl, branch, path, syncStatus, health, changes, problems, prune, isPaused } = config;
  const { pausedReason, lastSeenCommit, lastSyncedCommit } = config;
  return (
    <>
      <div>
        <Status of={syncStatus} /> <strong>{name}</strong> {words(health)}
        {isPaused && ', paused: it is not looked at'}
        <p className="quiet">
          <code>{repoUrl}</code> {branch} {path && `/${path}`}, looked at <Time at={config.lastCheckedAt} />,
          synced <Time at={config.lastSyncedAt} />
          {lastSyncedCommit && ` (${short(lastSyncedCommit)})`}
          {lastSeenCommit && lastSeenCommit !== lastSyncedCommit && `, newest is ${short(lastSeenCommit)}`}
        </p>
        {pausedReason && <p className="wrong">Paused by the panel: {pausedReason}.</p>}
        {problems.map(({ file, line, message }, at) => (
          <p key={at} className="wrong">
            {file && `${file}:${line ?? 1}: `}
            {message}
          </p>
        ))}
        {changes.length > 0 && <Difference changes={changes} />}
        <Commits config={config} />
      </div>
      {may('governance.gitops.manage') && (
        <div className="actions">
          <button
            type="button"
            aria-haspopup="dialog"
            aria-label={`Edit ${name}`}
            onClick={() => setEdited(config)}
          >
            Edit
          </button>
          <Action
            document={UpdateGitOpsConfigDocument}
            variables={{ id, input: { isPaused: !isPaused } }}
            text={isPaused ? 'Take up again' : 'Pause'}
            label={`${isPaused ? 'Take up again' : 'Pause'} ${name}`}
            done={isPaused ? `${name} is looked at again.` : `${name} is left alone.`}
            onDone={onChange}
          />
          <Action
            document={RefreshGitOpsConfigDocument}
            variables={{ id }}
            text="Look now"
            label={`Look now at ${name}`}
            done={`${name} is looked at.`}
            onDone={onChange}
          />
          {changes.length > 0 && (
            <Action
              document={SyncGitOpsConfigDocument}
              variables={{ input: { id, prune } }}
              text="Sync"
              label={`Sync ${name}`}
              confirm={`${plural(changes.length, 'change')} will be put into force.`}
              done={`${name} is being put into force.`}
              onDone={onChange}
            />
          )}
          <Action
            document={DeleteGitOpsConfigDocument}
            variables={{ id }}
            text="Forget"
            label={`Forget ${name}`}
            confirm="The repository is followed no longer. What came from it stays in force."
            done={`${name} is forgotten.`}
            onDone={onChange}
          />
        </div>
      )}
      {edited && (
        <FormDialog
          title={`Repository: ${name}`}
          document={UpdateGitOpsConfigDocument}
          variables={(form) => ({ id, input: changedOf(settingsOf(edited), gitOpsOf(form)) })}
          submit="Save"
          done={`${name} is changed, and looked at.`}
          onClose={() => setEdited(undefined)}
          onDone={onChange}
        >
          <GitOpsFields config={edited} />
        </FormDialog>
      )}
    </>
  );
}

const marks = { CREATE: '+', UPDATE: '~', DELETE: '−' };

function Difference({ changes }: { changes: GitOpsConfig['changes'] }) {
  return (
    <details open>
      <summary>{plural(changes.length, 'difference')}</summary>
      <ul className="lines diff">
        {changes.map(({ action, kind, name, file, line, differences, heldBack }) => (
          <li key={`${kind} ${name}`} className={action.toLowerCase()}>
            <strong>
              {marks[action]} {words(action)} {kind.toLowerCase()} {name}
            </strong>{' '}
            {file && (
              <code>
                {file}:{line ?? 1}
              </code>
            )}
            {heldBack && <p>Held back: {heldBack}</p>}
            {differences.map(({ field, actual, declared }) => (
              <p key={field}>
                {field}: <del>{JSON.stringify(actual)}</del> <ins>{JSON.stringify(declared)}</ins>
              </p>
            ))}
          </li>
        ))}
      </ul>
    </details>
  );
}
