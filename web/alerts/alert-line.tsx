import { Link } from '@tanstack/react-router';
import { useMutation } from 'urql';

import { problemOf } from '../api/problem.ts';
import {
  AcknowledgeAlertDocument,
  ResolveAlertDocument,
  type AlertRowFragment,
} from '../generated/graphql.ts';
import { announce } from '../parts/announce.tsx';
import { Problem } from '../parts/problem.tsx';
import { Status } from '../parts/status.tsx';
import { words } from '../parts/words.ts';
import { useViewer } from '../session/viewer.tsx';
import { AlertFacts } from './alert-facts.tsx';
import { isActive } from './alert-search.ts';

interface AlertLineProps {
  alert: AlertRowFragment;
  /** Whoever did something, by name. */
  who: (id: string) => string;
  onChange: (alert: AlertRowFragment) => void;
  onSilence: () => void;
}

/** One alert with what can be done about it. */
export function AlertLine({ alert, who, onChange, onSilence }: AlertLineProps) {
  const { may } = useViewer();
  const [acknowledged, acknowledge] = useMutation(AcknowledgeAlertDocument);
  const [resolved, resolve] = useMutation(ResolveAlertDocument);
  const { id, status } = alert;
  const isOpen = isActive(status);
  const error = acknowledged.error ?? resolved.error;
  const named = `${words(alert.rule)} of ${alert.instanceName}`;

  const take = async () => {
    const { data } = await acknowledge({ id });
    if (!data) return;
    onChange(data.acknowledgeAlert);
    announce(`Acknowledged: ${named}.`);
  };
  const end = async () => {
    const { data } = await resolve({ id });
    if (!data) return;
    onChange(data.resolveAlert);
    announce(`Resolved: ${named}.`);
  };
  return (
    <li className="row">
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
        <Problem told={error && problemOf(error, 'change')} />
      </div>
      <div className="actions">
        {status === 'FIRING' && may('fleet.alert.acknowledge') && (
          <button
            type="button"
            aria-label={`Acknowledge ${named}`}
            disabled={acknowledged.fetching}
            onClick={() => void take()}
          >
            Acknowledge
          </button>
        )}
        {isOpen && may('fleet.alert.resolve') && (
          <button
            type="button"
            aria-label={`Resolve ${named}`}
            disabled={resolved.fetching}
            onClick={() => void end()}
          >
            Resolve
          </button>
        )}
        {isOpen && may('fleet.silence.create') && (
          <button type="button" aria-haspopup="dialog" aria-label={`Silence ${named}`} onClick={onSilence}>
            Silence
          </button>
        )}
      </div>
    </li>
  );
}
