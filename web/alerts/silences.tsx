import { useCallback } from 'react';
import { useMutation } from 'urql';

import { problemOf } from '../api/problem.ts';
import { useDue } from '../api/use-due.ts';
import { useFollowed } from '../api/use-followed.ts';
import { useRead } from '../api/use-read.ts';
import { ExpireSilenceDocument, SilenceChangedDocument, SilencesDocument } from '../generated/graphql.ts';
import { announce } from '../parts/announce.tsx';
import { Card } from '../parts/card.tsx';
import { Problem } from '../parts/problem.tsx';
import { Time } from '../parts/time.tsx';
import { words } from '../parts/words.ts';

/** What channels are not told of just now. */
export function Silences({ mayEnd, onEnd }: { mayEnd: boolean; onEnd: () => void }) {
  const { data, error, read } = useRead(SilencesDocument, { requestPolicy: 'network-only' });
  // Alerts are told again, and shown as such, once one of them is over.
  const readAll = useCallback(() => {
    read();
    onEnd();
  }, [read, onEnd]);
  useFollowed(SilenceChangedDocument, {}, readAll);
  useDue(data?.silences.nodes.map(({ endsAt }) => endsAt) ?? [], data, readAll);
  const [ended, end] = useMutation(ExpireSilenceDocument);
  return (
    <Card title="Silences" error={error} retry={read}>
      {data?.silences.nodes.length === 0 && <p>None: channels are told of every alert.</p>}
      <ul className="lines">
        {data?.silences.nodes.map(({ id, comment, endsAt, matchers }) => (
          <li key={id}>
            {matchers
              .map(
                ({ field, operator, value }) => `${words(field)} ${words(operator).toLowerCase()} ${value}`,
              )
              .join(' and ')}
            , until <Time at={endsAt} />: {comment}{' '}
            {mayEnd && (
              <button
                type="button"
                aria-label={`End now the silence: ${comment}`}
                disabled={ended.fetching}
                onClick={() => {
                  void end({ id }).then(({ data: done }) => {
                    if (!done) return;
                    announce('The silence has ended.');
                    readAll();
                  });
                }}
              >
                End now
              </button>
            )}
          </li>
        ))}
      </ul>
      <Problem told={ended.error && problemOf(ended.error, 'change')} />
    </Card>
  );
}
