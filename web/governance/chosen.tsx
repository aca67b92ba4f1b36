import { useRef, useState } from 'react';

import { useRead } from '../api/use-read.ts';
import { useSettled } from '../api/use-settled.ts';
import { ChosenInstancesDocument, InstancesCalledDocument } from '../generated/graphql.ts';
import { foundText } from '../groups/found-text.ts';
import { announce } from '../parts/announce.tsx';
import { Field, FieldGroup } from '../parts/field.tsx';
import { Problem } from '../parts/problem.tsx';
import { count, plural } from '../parts/words.ts';

/** As many as one page of instances has. */
const most = 500;

interface ChosenFieldsProps {
  ids: readonly string[];
  onChange: (ids: readonly string[]) => void;
}

/** Instances that are put in and taken out one by one. */
export function ChosenFields({ ids, onChange }: ChosenFieldsProps) {
  const [begun] = useState(() => ids.slice(0, most));
  const { data, told, read } = useRead(ChosenInstancesDocument, {
    variables: { ids: begun },
    pause: begun.length === 0,
  });
  /** Of those that were put in here. */
  const [found, setFound] = useState<ReadonlyMap<string, string>>(new Map());
  const [typed, setTyped] = useState('');
  const q = useSettled(typed.trim(), 400);
  const called = useRead(InstancesCalledDocument, { variables: { q }, pause: q === '' });
  const sum = useRef<HTMLParagraphElement>(null);
  const known = data?.instances.nodes;
  const names = new Map([...(known ?? []).map(({ id, name }) => [id, name] as const), ...found]);
  const nameOf = (id: string) =>
    names.get(id) ?? (known && begun.includes(id) ? `An instance that was removed (${id})` : id);
  const others = called.data?.instances.nodes.filter(({ id }) => !ids.includes(id)) ?? [];
  const change = (changed: readonly string[], said: string) => {
    onChange(changed);
    announce(said);
    // The button that was pressed goes away.
    sum.current?.focus();
  };
  return (
    <FieldGroup legend="The instances" name="appliesTo.instance_ids">
      <Problem told={told} retry={read} />
      <p ref={sum} tabIndex={-1}>
        {ids.length === 0
          ? 'None is chosen yet.'
          : `${plural(ids.length, 'instance is', 'instances are')} chosen.`}
      </p>
      <ul className="lines" aria-label="Chosen">
        {ids.slice(0, most).map((id) => (
          <li key={id}>
            {nameOf(id)}{' '}
            <button
              type="button"
              aria-label={`Take out ${nameOf(id)}`}
              onClick={() =>
                change(
                  ids.filter((one) => one !== id),
                  `${nameOf(id)} is taken out.`,
                )
              }
            >
              Take out
            </button>
          </li>
        ))}
      </ul>
      {ids.length > most && <p>These are the first {count(most)}.</p>}
      <Field
        label="Find others by name"
        type="search"
        value={typed}
        onChange={(event) => setTyped(event.target.value)}
        onKeyDown={(event) => {
          // It looks, and does not send the form around it.
          if (event.key === 'Enter') event.preventDefault();
        }}
      />
      <Problem told={called.told} retry={called.read} />
      {q !== '' && called.data && <p role="status">{foundText(called.data.instances, others, 'chosen')}</p>}
      {q !== '' && (
        <ul className="lines" aria-label="Found">
          {others.map(({ id, name }) => (
            <li key={id}>
              {name}{' '}
              <button
                type="button"
                aria-label={`Put in ${name}`}
                onClick={() => {
                  setFound((before) => new Map(before).set(id, name));
                  change([...ids, id], `${name} is put in.`);
                }}
              >
                Put in
              </button>
            </li>
          ))}
        </ul>
      )}
    </FieldGroup>
  );
}
