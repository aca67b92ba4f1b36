import { Link } from '@tanstack/react-router';

import type { AuditEntryFragment } from '../generated/graphql.ts';
import { exactTime } from '../parts/time.tsx';
import { count, words } from '../parts/words.ts';

interface AuditEntryProps {
  entry: AuditEntryFragment;
  names: ReadonlyMap<string, string>;
}

/** One entry of the trail, and the way to what else came of the same request. */
export function AuditEntry({ entry, names }: AuditEntryProps) {
  const { sequence, action, actor, target, requestId, clientAddress, details, personal } = entry;
  return (
    <div>
      <strong>{action}</strong> by <Actor of={entry} names={names} />
      {target && target !== actor && (
        <>
          {' '}
          to {names.get(target)} <code>{target}</code>
        </>
      )}
      <p className="quiet">
        {exactTime(entry.occurredAt)}, from {clientAddress}, entry {count(sequence)}
      </p>
      {isOfARequest(requestId) && (
        <Link
          to="/audit"
          search={{ requestId }}
          aria-label={`What else this caused: entry ${count(sequence)}`}
        >
          What else this caused
        </Link>
      )}
      <details>
        <summary>Details of entry {count(sequence)}</summary>
        <pre tabIndex={0}>{JSON.stringify(details, spelledOut(personal), 2)}</pre>
        <p className="quiet">
          Request <code>{requestId}</code>
        </p>
        <p className="quiet">
          Hash <code>{entry.hash}</code>
        </p>
      </details>
    </div>
  );
}

/** Addresses and names in the place of the words for them, until they are forgotten. */
function spelledOut(personal: Record<string, unknown>): (field: string, value: unknown) => unknown {
  return (_field, value) => (typeof value === 'string' ? (personal[value] ?? value) : value);
}

/** Who it was, by the name they had then. Of entries that are older than that is kept, by the one that a member has now. */
function Actor({ of: entry, names }: { of: AuditEntryFragment; names: ReadonlyMap<string, string> }) {
  const { actor, actorKind, actorName, actorEmail, actorTenantName } = entry;
  const name = actorName ?? names.get(actor);
  switch (actorKind) {
    case 'service':
      return <>the panel itself ({actor.replace(/^svc:/, '')})</>;
    case 'operator':
      return <>whoever runs the panel’s machine</>;
    case 'anonymous':
      return <>somebody who was not signed in</>;
    case 'node':
      return (
        <>
          the node{' '}
          <Link to="/instances/$id" params={{ id: actor }}>
            {actor}
          </Link>
        </>
      );
    case 'api-key':
      return (
        <>
          the API key {name} <code>{actor}</code>
        </>
      );
    default:
      return (
        <>
          {actorKind === 'delegate' ? 'somebody of the provider' : words(actorKind).toLowerCase()} {name}
          {actorEmail && ` (${actorEmail})`}
          {actorTenantName && `, of ${actorTenantName}`} <code>{actor}</code>
        </>
      );
  }
}

/** What comes again and again (`sweep:canary.due`) has one id for good: what has it too is of another time. */
function isOfARequest(requestId: string): boolean {
  return requestId !== '' && !requestId.includes(':');
}
