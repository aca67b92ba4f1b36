import { Link } from '@tanstack/react-router';

import { useRead } from '../api/use-read.ts';
import { ChangesDocument, type ChangesQuery } from '../generated/graphql.ts';
import { Card } from '../parts/card.tsx';
import { Time } from '../parts/time.tsx';

type Change = ChangesQuery['auditEvents']['nodes'][number];

const shown = 12;

/** Coming and going changes nothing; the audit trail has it. */
const noChange = new Set(['login', 'logout', 'refreshSession', 'exchangeApiKey', 'actInTenant']);

/** Who has done what to what, and what is otherwise by it, newest first. */
export function Changes() {
  const { data, error, read } = useRead(ChangesDocument);
  const changes = data?.auditEvents.nodes.filter(({ action }) => !noChange.has(action)).slice(0, shown);
  const names = new Map(data?.members.nodes.map(({ id, name }) => [id, name]));
  return (
    <Card title="What changed lately" className="wide" error={error} retry={read}>
      {changes?.length === 0 && <p>Nothing yet.</p>}
      <ul className="lines">
        {changes?.map((change) => (
          <li key={change.id}>
            <Time at={change.occurredAt} /> <strong>{names.get(change.actor) ?? actorOf(change)}</strong>{' '}
            {deedOf(change.action)} <Target of={change.target} names={names} />{' '}
            <span className="quiet">{effectOf(change)}</span>
          </li>
        ))}
      </ul>
    </Card>
  );
}

function actorOf({ actor, actorKind }: Change): string {
  return actorKind === 'user' ? 'A former member' : `${actorKind} ${actor}`;
}

/** What is otherwise by it, as far as a few words say it: `name demo-cluster, region eu-central`. */
function effectOf({ details }: Change): string {
  const changes = (details as { changes?: Record<string, unknown> })['changes'] ?? {};
  return Object.entries(changes)
    .flatMap(([name, value]) => {
      const told = Array.isArray(value) ? value.length : value;
      if (typeof told !== 'string' && typeof told !== 'number' && typeof told !== 'boolean') return [];
      const text = String(told);
      return text.length > 60 ? [] : [`${deedOf(name)} ${text}`];
    })
    .slice(0, 3)
    .join(', ');
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
