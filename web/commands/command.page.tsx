import { getRouteApi } from '@tanstack/react-router';
import { useCallback, useState } from 'react';

import { useAgain } from '../api/use-again.ts';
import { useLive } from '../api/use-live.ts';
import { useRead } from '../api/use-read.ts';
import { NoSuchPage } from '../app/no-such-page.tsx';
import {
  CancelCommandDocument,
  CommandDetailDocument,
  CommandProgressedDocument,
  type CommandRowFragment,
} from '../generated/graphql.ts';
import { useWho } from '../organization/use-member-names.ts';
import { Action } from '../parts/action.tsx';
import { Page } from '../parts/page.tsx';
import { Problem } from '../parts/problem.tsx';
import { Status } from '../parts/status.tsx';
import { Time } from '../parts/time.tsx';
import { plural, words } from '../parts/words.ts';
import { useViewer } from '../session/viewer.tsx';
import { ProgressBar } from './progress-bar.tsx';
import { Results } from './results.tsx';
import { SendAgain } from './send-again.tsx';

const route = getRouteApi('/commands/$id');
const open = new Set(['PENDING', 'IN_PROGRESS']);

/** One command and how it goes on each of its instances, live. */
export default function CommandPage() {
  const { id } = route.useParams();
  return <Followed key={id} id={id} />;
}

function Followed({ id }: { id: string }) {
  const { may } = useViewer();
  const who = useWho();
  const {
    data,
    told,
    read: again,
  } = useRead(CommandDetailDocument, {
    variables: { id },
    requestPolicy: 'network-only',
  });
  const [changed, setChanged] = useState<CommandRowFragment>();
  const read = useCallback(() => {
    setChanged(undefined);
    again();
  }, [again]);
  useAgain(told, read);
  useLive(
    CommandProgressedDocument,
    { commandId: id },
    {
      after: data?.fleetCursor,
      next: ({ commandProgressed }) => setChanged(commandProgressed),
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
  const isAhead = command.status === 'PENDING' && !!command.startAt && new Date(command.startAt) > new Date();
  return (
    <Page
      title={words(command.command)}
      actions={
        <>
          {open.has(command.status) && may('fleet.command.cancel') && (
            <Action
              document={CancelCommandDocument}
              variables={{ id }}
              text="Cancel it"
              label={`Cancel it: ${words(command.command)}`}
              confirm={`${plural(counts.waiting, 'instance does', 'instances do')} not get it; ${plural(counts.running, 'goes', 'go')} on with it to the end.`}
              done="It is being cancelled."
            />
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
      <p>
        <span aria-live="polite">
          <Status of={command.status} />
        </span>{' '}
        sent <Time at={command.createdAt} isKey /> by {who(command.createdBy)}
        {command.startAt && (
          <>
            , {isAhead ? 'begins' : 'to begin'} <Time at={command.startAt} isKey />
          </>
        )}
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
      {command.refusal && <p>Policies did not let it begin. {command.refusal}</p>}
      <ProgressBar command={command} />
      <Results command={command} />
    </Page>
  );
}
