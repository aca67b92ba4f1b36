import { getRouteApi } from '@tanstack/react-router';
import { useCallback, useState } from 'react';
import { useMutation } from 'urql';

import { problemOf } from '../api/problem.ts';
import { useLive } from '../api/use-live.ts';
import { usePages, type PagePart } from '../api/use-pages.ts';
import { useRead } from '../api/use-read.ts';
import { NoSuchPage } from '../app/no-such-page.tsx';
import {
  CancelCommandDocument,
  CommandDetailDocument,
  CommandProgressedDocument,
  CommandResultsDocument,
  type CommandResultsQuery,
  type CommandRowFragment,
  type ResultRowFragment,
} from '../generated/graphql.ts';
import { useWho } from '../organization/use-member-names.ts';
import { announce } from '../parts/announce.tsx';
import { Choice } from '../parts/field.tsx';
import { Page } from '../parts/page.tsx';
import { Problem } from '../parts/problem.tsx';
import { Status } from '../parts/status.tsx';
import { Time } from '../parts/time.tsx';
import { words } from '../parts/words.ts';
import { useViewer } from '../session/viewer.tsx';
import { resultGroupNames, resultGroups } from './command-search.ts';
import { ProgressBar } from './progress-bar.tsx';
import { ResultLine } from './result-line.tsx';
import { SendAgain } from './send-again.tsx';

const route = getRouteApi('/commands/$id');
const open = new Set(['PENDING', 'IN_PROGRESS']);

/** One command and how it goes on each of its instances, live. */
export default function CommandPage() {
  const { id } = route.useParams();
  return <Followed key={id} id={id} />;
}

/** A page of results, and one more than that by which is known that there are others. */
const pageSize = 100;

function partOf({ command: { results } }: CommandResultsQuery): PagePart<ResultRowFragment & { id: string }> {
  const shown = results.slice(0, pageSize);
  return {
    nodes: shown.map((result) => ({ ...result, id: result.instanceId })),
    pageInfo: { endCursor: shown.at(-1)?.instanceId ?? null, hasNextPage: results.length > pageSize },
  };
}

function Followed({ id }: { id: string }) {
  const { may } = useViewer();
  const who = useWho();
  const { show } = route.useSearch();
  const navigate = route.useNavigate();
  const {
    data,
    told,
    read: again,
  } = useRead(CommandDetailDocument, {
    variables: { id },
    requestPolicy: 'network-only',
  });
  const group = show && resultGroups[show];
  const results = usePages(CommandResultsDocument, { id, statuses: group?.statuses ?? null }, partOf);
  const [changed, setChanged] = useState<CommandRowFragment>();
  const [cancelled, cancel] = useMutation(CancelCommandDocument);
  const { reload } = results;
  const read = useCallback(() => {
    setChanged(undefined);
    again();
    reload();
  }, [again, reload]);
  useLive(
    CommandProgressedDocument,
    { commandId: id },
    {
      after: data?.fleetCursor,
      next: ({ commandProgressed: { changed: result, ...command } }) => {
        setChanged(command);
        // Many have changed, or what is being read may have been read before this.
        if (!result || !results.rows) return reload();
        const isKnown = results.rows.some((row) => row.id === result.instanceId);
        if (isKnown || group?.statuses.some((status) => status === result.status)) {
          results.put({ ...result, id: result.instanceId });
        }
      },
      lost: read,
    },
  );
  if (!data) {
    if (!told) return <p role="status">Reading the command…</p>;
    return told.code === 'NOT_FOUND' ? <NoSuchPage /> : <Problem told={told} retry={read} />;
  }
  const command = { ...data.command, ...changed };
  const { counts } = command;
  const params = Object.entries(command.params);
  return (
    <Page
      title={words(command.command)}
      actions={
        <>
          {open.has(command.status) && may('fleet.command.cancel') && (
            <button
              type="button"
              disabled={cancelled.fetching}
              onClick={() =>
                void cancel({ id }).then(({ data: done }) => done && announce('It is being cancelled.'))
              }
            >
              Cancel it
            </button>
          )}
          {may('fleet.command.send') && counts.errors > 0 && (
            <SendAgain id={id} group="failed" amount={counts.errors} />
          )}
          {may('fleet.command.send') && counts.notRun > 0 && (
            <SendAgain id={id} group="notRun" amount={counts.notRun} />
          )}
        </>
      }
    >
      <Problem told={told} retry={read} />
      <Problem told={cancelled.error && problemOf(cancelled.error, 'change')} />
      <p>
        <span aria-live="polite">
          <Status of={command.status} />
        </span>{' '}
        sent <Time at={command.createdAt} /> by {who(command.createdBy)}
        {command.cancelledAt && (
          <>
            , cancelled <Time at={command.cancelledAt} />
          </>
        )}
        {command.finishedAt && (
          <>
            , through <Time at={command.finishedAt} />
          </>
        )}
        {params.length > 0 &&
          ` with ${params.map(([name, value]) => `${name} ${JSON.stringify(value)}`).join(', ')}`}
      </p>
      <ProgressBar command={command} />
      <form className="filters" onSubmit={(event) => event.preventDefault()}>
        <Choice
          label="Show"
          value={show ?? ''}
          options={[
            { value: '', text: `All (${command.total})` },
            ...resultGroupNames.map((value) => {
              const { text, counts: name } = resultGroups[value];
              return { value, text: `${text} (${counts[name]})` };
            }),
          ]}
          onChange={(value) => void navigate({ search: value === '' ? {} : { show: value }, replace: true })}
        />
      </form>
      <Problem told={results.error && problemOf(results.error)} retry={reload} />
      {results.rows?.length === 0 && <p>It is like this on no instance.</p>}
      <ul className="rows" aria-label="Instances of this command">
        {results.rows?.map((result) => (
          <ResultLine key={result.id} commandId={id} result={result} />
        ))}
      </ul>
      {results.hasMore && (
        <button type="button" onClick={results.more}>
          Show more
        </button>
      )}
    </Page>
  );
}
