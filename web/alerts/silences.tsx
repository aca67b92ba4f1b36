import { useCallback, useState } from 'react';

import { useDue } from '../api/use-due.ts';
import { useFollowed } from '../api/use-followed.ts';
import { useRead } from '../api/use-read.ts';
import {
  ChosenInstancesDocument,
  ExpireSilenceDocument,
  SilenceChangedDocument,
  SilencesDocument,
  type SilenceRowFragment,
} from '../generated/graphql.ts';
import { useWho } from '../organization/use-member-names.ts';
import { Action } from '../parts/action.tsx';
import { Card } from '../parts/card.tsx';
import { Time } from '../parts/time.tsx';
import { useViewer } from '../session/viewer.tsx';
import { NewSilence } from './new-silence.tsx';
import { Matchers } from './silence-matchers.tsx';

/** As many as one page of instances has. */
const atOnce = 500;

/** What channels are not told of just now, and will not be told of. */
export function Silences({ mayEnd, onEnd }: { mayEnd: boolean; onEnd: () => void }) {
  const { may } = useViewer();
  const [isMaking, setMaking] = useState(false);
  const { data, error, read } = useRead(SilencesDocument, { requestPolicy: 'network-only' });
  // Alerts are told again, and shown as such, once one of them is over.
  const readAll = useCallback(() => {
    read();
    onEnd();
  }, [read, onEnd]);
  useFollowed(SilenceChangedDocument, {}, readAll);
  const rows = data && [...data.active.nodes, ...data.pending.nodes];
  useDue(
    rows?.map(({ state, startsAt, endsAt }) => (state === 'PENDING' ? startsAt : endsAt)) ?? [],
    data,
    readAll,
  );
  const nameOf = useInstanceNames(rows ?? []);
  const who = useWho();
  return (
    <Card title="Silences" error={error} retry={read}>
      {data?.active.nodes.length === 0 && <p>None: channels are told of every alert.</p>}
      <ul className="lines" aria-label="Silences">
        {rows?.map(({ id, state, comment, startsAt, endsAt, matchers, createdBy }) => (
          <li key={id}>
            <Matchers matchers={matchers} nameOf={nameOf} />,{' '}
            {state === 'PENDING' && (
              <>
                from <Time at={startsAt} />{' '}
              </>
            )}
            until <Time at={endsAt} />, by {who(createdBy)}: {comment}{' '}
            {mayEnd && (
              <Action
                document={ExpireSilenceDocument}
                variables={{ id }}
                text="End now"
                label={`End now the silence: ${comment}`}
                confirm="Channels are told again of all that it is about, and at once of what fires."
                done="The silence has ended."
                onDone={readAll}
              />
            )}
          </li>
        ))}
      </ul>
      {may('fleet.silence.create') && (
        <button type="button" aria-haspopup="dialog" onClick={() => setMaking(true)}>
          New silence
        </button>
      )}
      {isMaking && <NewSilence onClose={() => setMaking(false)} onMade={readAll} />}
    </Card>
  );
}

/** The names of the instances that silences are about, where they are told by their ids. */
function useInstanceNames(rows: readonly SilenceRowFragment[]): (id: string) => string {
  const told = rows
    .flatMap(({ matchers }) => matchers)
    .flatMap(({ field, value }) => (field === 'INSTANCE_ID' ? [value] : []));
  const ids = [...new Set(told)].slice(0, atOnce);
  const { data } = useRead(ChosenInstancesDocument, { variables: { ids }, pause: ids.length === 0 });
  const names = new Map(data?.instances.nodes.map(({ id, name }) => [id, name]));
  return (id) => names.get(id) ?? id;
}
