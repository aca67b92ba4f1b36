import { Link } from '@tanstack/react-router';
import { useQuery } from 'urql';

import { ChangesDocument, type ChangesQuery } from '../generated/graphql.ts';
import { Card } from '../parts/card.tsx';
import { Time } from '../parts/time.tsx';

type Change = ChangesQuery['auditEvents']['nodes'][number];

/** Who has done what to what, newest first. */
export function Changes() {
  const [{ data, error }, again] = useQuery({ query: ChangesDocument });
  const names = new Map(data?.members.nodes.map(({ id, name }) => [id, name]));
  return (
    <Card
      title="What changed lately"
      className="wide"
      error={error}
      retry={() => again({ requestPolicy: 'network-only' })}
    >
      {data?.auditEvents.nodes.length === 0 && <p>Nothing yet.</p>}
      <ul className="lines">
        {data?.auditEvents.nodes.map((change) => (
          <li key={change.id}>
            <Time at={change.occurredAt} /> <strong>{names.get(change.actor) ?? actorOf(change)}</strong>{' '}
            {deedOf(change.action)} <Target of={change.target} names={names} />
          </li>
        ))}
      </ul>
    </Card>
  );
}

function actorOf({ actor, actorKind }: Change): string {
  return actorKind === 'user' ? 'A former member' : `${actorKind} ${actor}`;
}

/** `acknowledgeAlert` as "acknowledge alert". */
function deedOf(action: string): string {
  return action
    .replaceAll(/([a-z])([A-Z])/g, '$1 $2')
    .replaceAll('_', ' ')
    .toLowerCase();
}

function Target({ of: target, names }: { of: string | null; names: ReadonlyMap<string, string> }) {
  if (target === null) return null;
  if (target.startsWith('inst_')) {
    return (
      <Link to="/instances/$id" params={{ id: target }}>
        the instance
      </Link>
    );
  }
  if (target.startsWith('cmd_')) {
    return (
      <Link to="/commands/$id" params={{ id: target }}>
        the command
      </Link>
    );
  }
  return <span className="quiet">{names.get(target) ?? target}</span>;
}
