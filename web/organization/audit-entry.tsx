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
  const { sequence, action, actor, actorKind, target, requestId, clientAddress, details } = entry;
  return (
    <div>
      <strong>{action}</strong> by {words(actorKind).toLowerCase()} {names.get(actor)} <code>{actor}</code>
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
        <pre tabIndex={0}>{JSON.stringify(details, null, 2)}</pre>
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

/** What comes again and again (`sweep:canary.due`) has one id for good: what has it too is of another time. */
function isOfARequest(requestId: string): boolean {
  return requestId !== '' && !requestId.includes(':');
}
