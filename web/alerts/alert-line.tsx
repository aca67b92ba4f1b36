import { Link } from '@tanstack/react-router';
import { memo, useRef } from 'react';

import {
  AcknowledgeAlertDocument,
  ResolveAlertDocument,
  type AlertRowFragment,
} from '../generated/graphql.ts';
import { Action } from '../parts/action.tsx';
import { Status } from '../parts/status.tsx';
import { useKeptFocus } from '../parts/use-kept-focus.ts';
import { words } from '../parts/words.ts';
import { useViewer } from '../session/viewer.tsx';
import { AlertFacts } from './alert-facts.tsx';
import { isActive } from './alert-search.ts';

interface AlertLineProps {
  alert: AlertRowFragment;
  /** Whoever did something, by name. */
  who: (id: string) => string;
  onChange: (alert: AlertRowFragment) => void;
  onSilence: (alert: AlertRowFragment) => void;
}

/** One alert with what can be done about it. With each beat one of a hundred may change, and the others are not drawn again. */
export const AlertLine = memo(function AlertLine({ alert, who, onChange, onSilence }: AlertLineProps) {
  const { may } = useViewer();
  const { id, status } = alert;
  const isOpen = isActive(status);
  const named = `${words(alert.rule)} of ${alert.instanceName}`;
  const line = useRef<HTMLLIElement>(null);
  return (
    <li className="row" ref={line} tabIndex={-1} {...useKeptFocus(line)}>
      <div>
        <Status of={alert.severity} /> <Status of={status} />{' '}
        <Link to="/instances/$id" params={{ id: alert.instanceId }}>
          {alert.instanceName}
        </Link>{' '}
        <strong>{words(alert.rule)}</strong>
        {alert.component &&
          (alert.rule === 'POLICY_VIOLATION' ? (
            <>
              {' '}
              <Link to="/governance/policies/$id" params={{ id: alert.component }}>
                See the policy
              </Link>
            </>
          ) : (
            ` ${alert.component}`
          ))}
        <p>{alert.message}</p>
        <AlertFacts alert={alert} who={who} />
      </div>
      <div className="actions">
        {status === 'FIRING' && may('fleet.alert.acknowledge') && (
          <Action
            document={AcknowledgeAlertDocument}
            variables={{ id }}
            text="Acknowledge"
            label={`Acknowledge ${named}`}
            done={`Acknowledged: ${named}.`}
            onDone={({ acknowledgeAlert }) => onChange(acknowledgeAlert)}
          />
        )}
        {isOpen && may('fleet.alert.resolve') && (
          <Action
            document={ResolveAlertDocument}
            variables={{ id }}
            text="Resolve"
            label={`Resolve ${named}`}
            confirm={whatResolvingDoes(alert)}
            done={`Resolved: ${named}.`}
            onDone={({ resolveAlert }) => onChange(resolveAlert)}
          />
        )}
        {isOpen && may('fleet.silence.create') && (
          <button
            type="button"
            aria-haspopup="dialog"
            aria-label={`Silence ${named}`}
            onClick={() => onSilence(alert)}
          >
            Silence
          </button>
        )}
      </div>
    </li>
  );
});

/** An outage is told of when it begins, and a node that has fallen silent begins no other one. */
function whatResolvingDoes({ rule }: AlertRowFragment): string {
  return rule === 'OFFLINE'
    ? 'It is over for everybody, and no alert comes again while the node stays offline. To be told no more for a while, silence it.'
    : 'It is over for everybody. A new one begins as soon as the same is found again.';
}
