import { useState } from 'react';

import { useDue } from '../api/use-due.ts';
import { useRead } from '../api/use-read.ts';
import { AdvanceTestClockDocument, TestClockDocument } from '../generated/graphql.ts';
import { Action } from '../parts/action.tsx';
import { Card } from '../parts/card.tsx';
import { Field } from '../parts/field.tsx';
import { Problem } from '../parts/problem.tsx';
import { exactTime } from '../parts/time.tsx';
import { useViewer } from '../session/viewer.tsx';

/** Read again after some seconds, and then each time later, until it is there. */
const soon = new Date(0).toISOString();

/** The tenant's own time, which can be moved on, in a panel that was started for demonstrations or tests; nothing elsewhere. */
export function TestClock({ onMoved }: { onMoved: () => void }) {
  const { may } = useViewer();
  const { data, told, read } = useRead(TestClockDocument);
  const [typed, setTyped] = useState('');
  const clock = data?.testClock;
  useDue([clock?.status === 'ADVANCING' ? soon : null], data, () => {
    read();
    onMoved();
  });
  if (!clock) return null;
  const to = typed === '' ? undefined : new Date(typed);
  return (
    <Card title="Test clock">
      <Problem told={told} retry={read} />
      <p>
        It is {exactTime(clock.now)} for your organization.
        {clock.status === 'ADVANCING' && clock.target && ` It is on its way to ${exactTime(clock.target)}.`}
      </p>
      {clock.failure && <p className="wrong">{clock.failure}.</p>}
      {may('billing.test-clock.advance') && (
        <>
          <Field
            label="Move it on to"
            type="datetime-local"
            value={typed}
            onChange={(event) => setTyped(event.target.value)}
            hint="Later than it is, by two years at most."
          />
          {to && !Number.isNaN(to.getTime()) && (
            <Action
              document={AdvanceTestClockDocument}
              variables={{ input: { to: to.toISOString() } }}
              text="Move it on"
              label={`Move the test clock on to ${exactTime(to.toISOString())}`}
              confirm="All that is due until then happens: renewals, reminders, licences, alerts, and the ends of sessions, keys and tokens, so that you may have to sign in again. Time does not go back. No other organization is touched."
              done="The test clock is moved on."
              onDone={() => {
                setTyped('');
                read();
                onMoved();
              }}
            />
          )}
        </>
      )}
    </Card>
  );
}
