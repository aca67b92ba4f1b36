import { useNavigate } from '@tanstack/react-router';

import { RetryCommandDocument } from '../generated/graphql.ts';
import { Action } from '../parts/action.tsx';
import { useOnceKeys } from '../parts/once-key.ts';
import { plural } from '../parts/words.ts';
import { resultGroups } from './command-search.ts';

interface SendAgainProps {
  id: string;
  group: 'failed' | 'notRun';
  amount: number;
}

const whom = { failed: 'those that failed', notRun: 'those that did not run it' };

/** The same command once more, to those of its instances on which it ended so. */
export function SendAgain({ id, group, amount }: SendAgainProps) {
  const navigate = useNavigate();
  const once = useOnceKeys();
  const text = `Send again to ${whom[group]}`;
  return (
    <Action
      document={RetryCommandDocument}
      variables={{ id, input: once.keyed({ statuses: resultGroups[group].statuses }) }}
      text={text}
      label={text}
      confirm={
        `The same command with the same parameters goes to ${plural(amount, 'instance')}, but for those that have ` +
        'left the fleet. Mandatory policies are asked anew.'
      }
      done="Sent again."
      onDone={({ retryCommand }) => {
        once.done();
        void navigate({ to: '/commands/$id', params: { id: retryCommand.id } });
      }}
    />
  );
}
