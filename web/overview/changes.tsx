import { Link } from '@tanstack/react-router';

import { useMemberNames } from '../organization/use-member-names.ts';
import { Card } from '../parts/card.tsx';
import { Time } from '../parts/time.tsx';
import { count } from '../parts/words.ts';
import { actorOf, deedOf, effectOf, nameOf, theThing, type Change } from './change-words.ts';
import { useChanges } from './use-changes.ts';

/** Who has done what to what, and what is otherwise by it, newest first. */
export function Changes() {
  const { found, error, read } = useChanges();
  const names = useMemberNames();
  return (
    <Card
      title="What changed lately"
      className="wide"
      error={error}
      retry={read}
      isReading={!found && !error}
    >
      {found?.changes.length === 0 && (
        <p>
          {found.lookedThrough === null
            ? 'Nothing yet.'
            : `Nothing but sign-ins among the last ${count(found.lookedThrough)} entries of the trail.`}
        </p>
      )}
      <ul className="lines">
        {found?.changes.map((change) => {
          const target = targetOf(change, names);
          return (
            <li key={change.id}>
              <Time at={change.occurredAt} /> <Actor of={change} names={names} /> {deedOf(change, target)}{' '}
              <Target id={change.target} words={target} /> <Effect of={change} />
            </li>
          );
        })}
      </ul>
      <Link to="/audit">The whole trail</Link>
    </Card>
  );
}

type Names = ReadonlyMap<string, string>;

/** What it was done to, in words; undefined where that is nothing but whoever did it. */
function targetOf(change: Change, names: Names): string | undefined {
  const { target, actor } = change;
  if (target === null || target === actor) return undefined;
  return names.get(target) ?? nameOf(change) ?? theThing(target);
}

function Actor({ of: change, names }: { of: Change; names: Names }) {
  const { actor, actorKind } = change;
  const text = names.get(actor) ?? actorOf(change);
  if (actorKind !== 'node') return <strong>{text}</strong>;
  return (
    <Link to="/instances/$id" params={{ id: actor }}>
      {text}
    </Link>
  );
}

/** The pages that things have, by what their ids begin with. */
const pages = {
  inst: '/instances/$id',
  cmd: '/commands/$id',
  srv: '/servers/$id',
  k8s: '/kubernetes/$id',
  dep: '/kubernetes/deployments/$id',
  pol: '/governance/policies/$id',
  can: '/governance/canaries/$id',
  par: '/partners/$id',
} as const;

function Target({ id, words }: { id: string | null; words: string | undefined }) {
  if (id === null || words === undefined) return null;
  const page = pages[id.split('_')[0] as keyof typeof pages];
  if (!page) return <strong>{words}</strong>;
  return (
    <Link to={page} params={{ id }}>
      {words}
    </Link>
  );
}

function Effect({ of: change }: { of: Change }) {
  const effect = effectOf(change);
  return effect === '' ? null : <span className="quiet">→ {effect}</span>;
}
