import { Link } from '@tanstack/react-router';

import type { Told } from '../api/problem.ts';
import { useRead } from '../api/use-read.ts';
import { useSettled } from '../api/use-settled.ts';
import {
  PreviewCommandDocument,
  type PreviewCommandQuery,
  type SendCommandInput,
  type TouchedInstanceFragment,
} from '../generated/graphql.ts';
import { evidenceText } from '../governance/policy-words.ts';
import { Problem } from '../parts/problem.tsx';
import { exactTime, Time } from '../parts/time.tsx';
import { count, plural } from '../parts/words.ts';

type Foreseen = PreviewCommandQuery['previewCommand'];

export interface PreviewOf {
  /** Of exactly this input; undefined while it is asked for, or nothing is chosen. */
  foreseen: Foreseen | undefined;
  /** Why it is not known. */
  told: Told | undefined;
  read: () => void;
}

const settledMs = 400;

/** What would become of a command, asked for when the form has not changed for a while. */
export function usePreview(input: SendCommandInput | undefined): PreviewOf {
  const wanted = input && JSON.stringify(input);
  const asked = useSettled(wanted, settledMs);
  const { data, told, read } = useRead(PreviewCommandDocument, {
    variables: { input: (asked === undefined ? {} : JSON.parse(asked)) as SendCommandInput },
    pause: asked === undefined,
    requestPolicy: 'network-only',
  });
  // What was asked for before the form changed says nothing of what it is now.
  if (asked === undefined || asked !== wanted) return { foreseen: undefined, told: undefined, read };
  return { foreseen: told ? undefined : data?.previewCommand, told, read };
}

interface PreviewProps {
  preview: PreviewOf;
  /** What is to be said while the form is not complete; undefined when it is. */
  missing: string | undefined;
  /** When it is to begin; none is at once. */
  startAt: string | null | undefined;
}

/** Says before anything is sent whom it touches, who refuses it and what holds it back. The sum is said aloud. */
export function Preview({ preview: { foreseen, told, read }, missing, startAt }: PreviewProps) {
  return (
    <section className="reach" aria-label="What it would do">
      <Problem told={told} retry={read} />
      <p role="status">{missing ?? (foreseen && `${sumOf(foreseen)} ${beginningOf(startAt)}`)}</p>
      {!missing && !foreseen && !told && <p>Asking what it would do…</p>}
      {!missing && foreseen && <Details foreseen={foreseen} read={read} />}
    </section>
  );
}

function sumOf({ total, offline, delayed, refused, admission, instances: { nodes } }: Foreseen): string {
  const names = nodes.map(nameOf).join(', ');
  const parts = [
    `It touches ${plural(total, 'instance')}: ${names}${total > nodes.length ? ' and others' : ''}.`,
    offline > 0 && `${plural(offline, 'of them is', 'of them are')} offline and gets it when it is back.`,
    admission === 'REFUSED' &&
      `Mandatory policies refuse it on ${count(refused ?? 0)}, so it can not be sent.`,
    admission === 'UNKNOWN' &&
      'Whether mandatory policies refuse it can not be asked just now, and until then it can not be sent.',
    delayed > 0 && `Maintenance windows hold it back on ${count(delayed)}.`,
  ];
  return parts.filter(Boolean).join(' ');
}

/** A time that has passed is no plan, which whoever meant the next night has to see. */
function beginningOf(startAt: string | null | undefined): string {
  if (!startAt) return 'It begins at once.';
  return new Date(startAt) > new Date()
    ? `It begins on ${exactTime(startAt)}.`
    : 'It begins at once, as the time that it was to begin at has passed.';
}

function Details({ foreseen, read }: { foreseen: Foreseen; read: () => void }) {
  const { policies, delays, canaries, instances, total } = foreseen;
  return (
    <>
      {policies.map((policy) => (
        <Refusals key={policy.policyId} policy={policy} />
      ))}
      {delays.length > 0 && (
        <ul className="lines">
          {delays.map(({ windows, until, expiresBefore, count: held }) => (
            <li key={windows?.map(({ id }) => id).join(' ')}>
              {windows?.map(({ name }) => name).join(', ')}: {plural(held, 'instance')}{' '}
              {until ? (
                <>
                  until <Time at={until} />
                </>
              ) : (
                'for more than eight days'
              )}
              {expiresBefore && <strong>. It expires before that and is not done there</strong>}
            </li>
          ))}
        </ul>
      )}
      {canaries?.map(({ canaryId, canary, count: within }) => (
        <p key={canaryId}>
          {plural(within, 'of them is', 'of them are')} in the canary{' '}
          <Link to="/governance/canaries/$id" params={{ id: canaryId }}>
            {canary?.name ?? canaryId}
          </Link>
          , whose comparison this may spoil.
        </p>
      ))}
      <details>
        <summary>
          {total > instances.nodes.length ? `The first ${instances.nodes.length}` : 'All of them'}
        </summary>
        <ul className="lines">
          {instances.nodes.map((target) => (
            <li key={target.instanceId}>
              <Link to="/instances/$id" params={{ id: target.instanceId }}>
                {nameOf(target)}
              </Link>{' '}
              {stateOf(target)}
            </li>
          ))}
        </ul>
      </details>
      <button type="button" onClick={read}>
        Look again
      </button>
    </>
  );
}

/** Where one policy refuses it and why: the first of them, and how many there are. */
function Refusals({ policy }: { policy: Foreseen['policies'][number] }) {
  const { policyId, policyName, resolution, count: refused, refusals } = policy;
  return (
    <div>
      <p>
        <Link to="/governance/policies/$id" params={{ id: policyId }}>
          {policyName}
        </Link>{' '}
        refuses it on {plural(refused, 'instance')}. {resolution}
      </p>
      <ul className="lines">
        {refusals.map(({ instanceId, instance, ...evidence }) => (
          <li key={instanceId}>
            <Link to="/instances/$id" params={{ id: instanceId }}>
              {instance?.name ?? instanceId}
            </Link>
            : {evidenceText(evidence)}
          </li>
        ))}
      </ul>
      {refused > refusals.length && <p>And {count(refused - refusals.length)} others.</p>}
    </div>
  );
}

function nameOf({ instance, instanceId }: TouchedInstanceFragment): string {
  return instance?.name ?? instanceId;
}

function stateOf({ isOffline, isRefused, delay, instance }: TouchedInstanceFragment): string {
  const alerts = instance?.activeAlertCount ?? 0;
  const parts = [
    isOffline && 'offline',
    isRefused && 'refused',
    delay && 'held back',
    alerts > 0 && plural(alerts, 'active alert'),
  ];
  return parts.filter(Boolean).join(', ');
}
