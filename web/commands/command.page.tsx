import { getRouteApi, Link } from '@tanstack/react-router';
import { useCallback, useState } from 'react';
import { useMutation } from 'urql';

import { problemOf } from '../api/problem.ts';
import { useLive } from '../api/use-live.ts';
import { useRead } from '../api/use-read.ts';
import { NoSuchPage } from '../app/no-such-page.tsx';
import {
  CancelCommandDocument,
  CommandDetailDocument,
  CommandProgressedDocument,
  type CommandRowFragment,
  type ResultRowFragment,
} from '../generated/graphql.ts';
import { announce } from '../parts/announce.tsx';
import { Page } from '../parts/page.tsx';
import { Problem } from '../parts/problem.tsx';
import { Status } from '../parts/status.tsx';
import { Time } from '../parts/time.tsx';
import { words } from '../parts/words.ts';
import { useViewer } from '../session/viewer.tsx';
import { ProgressBar } from './progress-bar.tsx';

const route = getRouteApi('/commands/$id');
const open = new Set(['PENDING', 'IN_PROGRESS']);

/** One command and how it goes on each of its instances, live. */
export default function CommandPage() {
  const { id } = route.useParams();
  return <Followed key={id} id={id} />;
}

interface Changes {
  command: CommandRowFragment | undefined;
  results: ReadonlyMap<string, ResultRowFragment>;
}

const unchanged: Changes = { command: undefined, results: new Map() };

function Followed({ id }: { id: string }) {
  const { may } = useViewer();
  const {
    data,
    told,
    read: again,
  } = useRead(CommandDetailDocument, {
    variables: { id },
    requestPolicy: 'network-only',
  });
  const [changes, setChanges] = useState(unchanged);
  const [cancelled, cancel] = useMutation(CancelCommandDocument);
  const read = useCallback(() => {
    setChanges(unchanged);
    again();
  }, [again]);
  useLive(
    CommandProgressedDocument,
    { commandId: id },
    {
      after: data?.fleetCursor,
      next: ({ commandProgressed: { changed, ...command } }) =>
        setChanges(({ results }) => ({
          command,
          results: changed ? new Map(results).set(changed.instanceId, changed) : results,
        })),
      lost: read,
    },
  );
  if (!data) {
    if (!told) return <p role="status">Reading the command…</p>;
    return told.code === 'NOT_FOUND' ? <NoSuchPage /> : <Problem told={told} retry={read} />;
  }
  const command = { ...data.command, ...changes.command };
  const known = new Map(data.command.results.map((result) => [result.instanceId, result]));
  const results = [...new Map([...known, ...changes.results]).values()];
  const params = Object.entries(command.params);
  return (
    <Page
      title={words(command.command)}
      actions={
        open.has(command.status) &&
        may('fleet.command.cancel') && (
          <button
            type="button"
            disabled={cancelled.fetching}
            onClick={() =>
              void cancel({ id }).then(({ data: done }) => done && announce('It is being cancelled.'))
            }
          >
            Cancel it
          </button>
        )
      }
    >
      <Problem told={told} retry={read} />
      <Problem told={cancelled.error && problemOf(cancelled.error, 'change')} />
      <p>
        <span aria-live="polite">
          <Status of={command.status} />
        </span>{' '}
        sent <Time at={command.createdAt} />
        {command.finishedAt && (
          <>
            , through <Time at={command.finishedAt} />
          </>
        )}
        {params.length > 0 &&
          ` with ${params.map(([name, value]) => `${name} ${JSON.stringify(value)}`).join(', ')}`}
      </p>
      <ProgressBar command={command} />
      <ul className="rows" aria-label="Instances of this command">
        {results.map((result) => (
          <Result key={result.instanceId} result={result} />
        ))}
      </ul>
      {command.total > results.length && (
        <p className="quiet">
          The first {results.length} of {command.total} instances.
        </p>
      )}
    </Page>
  );
}

function Result({ result }: { result: ResultRowFragment }) {
  const { instanceId, status, progress, exitCode, output, instance, finishedAt } = result;
  return (
    <li className="row">
      <div>
        <Status of={status} />{' '}
        <Link to="/instances/$id" params={{ id: instanceId }}>
          {instance?.name ?? instanceId}
        </Link>{' '}
        {finishedAt && <Time at={finishedAt} />} {exitCode !== null && `exit code ${exitCode}`}
        {progress !== null && status === 'IN_PROGRESS' && (
          <progress aria-label={`Progress on ${instance?.name ?? instanceId}`} value={progress} max={100} />
        )}
        {output && (
          <details>
            <summary>Output</summary>
            <pre tabIndex={0}>{output}</pre>
          </details>
        )}
      </div>
    </li>
  );
}
