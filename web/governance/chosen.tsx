import { useRef, useState } from 'react';

import { useRead } from '../api/use-read.ts';
import { useSettled } from '../api/use-settled.ts';
import { ChosenInstancesDocument, InstancesCalledDocument } from '../generated/graphql.ts';
import { foundText } from '../groups/found-text.ts';
import { announce } from '../parts/announce.tsx';
import { Field, FieldGroup } from '../parts/field.tsx';
import { Problem } from '../parts/problem.tsx';
import { plural } from '../parts/words.ts';

/** As many as one page of instances has; a policy can have twice as many. */
const atOnce = 500;

interface ChosenFieldsProps {
  ids: readonly string[];
  onChange: (ids: readonly string[]) => void;
}

/** Instances that are put in and taken out one by one. */
export function ChosenFields({ ids, onChange }: ChosenFieldsProps) {
  const [begun] = useState(ids);
  const parts = [useNames(begun.slice(0, atOnce)), useNames(begun.slice(atOnce, 2 * atOnce))];
  /** Of those that were put in here. */
  const [found, setFound] = useState<ReadonlyMap<string, string>>(new Map());
  const [typed, setTyped] = useState('');
  const q = useSettled(typed.trim(), 400);
  const called = useRead(InstancesCalledDocument, { variables: { q }, pause: q === '' });
  const sum = useRef<HTMLParagraphElement>(null);
  const names = new Map([...parts.flatMap((part) => [...part.names]), ...found]);
  const nameOf = (id: string) => names.get(id) ?? id;
  const chosen = new Set(ids);
  const others = called.data?.instances.nodes.filter(({ id }) => !chosen.has(id)) ?? [];
  const putIn = (id: string, name: string) => {
    setFound((before) => new Map(before).set(id, name));
    onChange([...ids, id]);
    announce(`${name} is put in.`);
  };
  const takeOut = (id: string, name: string) => {
    onChange(ids.filter((one) => one !== id));
    announce(`${name} is taken out.`);
  };
  return (
    <FieldGroup legend="The instances" name="appliesTo.instance_ids">
      {parts.map(({ told, read }, at) => (
        <Problem key={at} told={told} retry={read} />
      ))}
      <p ref={sum} tabIndex={-1}>
        {ids.length === 0
          ? 'None is chosen yet.'
          : `${plural(ids.length, 'instance is', 'instances are')} chosen.`}
      </p>
      <ul className="lines" aria-label="Chosen">
        {ids.map((id) => (
          <li key={id}>
            {nameOf(id)}{' '}
            <button
              type="button"
              aria-label={`Take out ${nameOf(id)}`}
              onClick={() => {
                takeOut(id, nameOf(id));
                // The button that was pressed goes away.
                sum.current?.focus();
              }}
            >
              Take out
            </button>
          </li>
        ))}
      </ul>
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
          {called.data?.instances.nodes.map(({ id, name }) => {
            const isChosen = chosen.has(id);
            const text = isChosen ? 'Take out' : 'Put in';
            return (
              <li key={id}>
                {name}{' '}
                <button
                  type="button"
                  aria-label={`${text} ${name}`}
                  onClick={() => (isChosen ? takeOut : putIn)(id, name)}
                >
                  {text}
                </button>
              </li>
            );
          })}
        </ul>
      )}
    </FieldGroup>
  );
}

/** The names of at most as many as are read at once. Those that there are not any more are called so. */
function useNames(ids: string[]) {
  const { data, told, read } = useRead(ChosenInstancesDocument, {
    variables: { ids },
    pause: ids.length === 0,
  });
  const nodes = data?.instances.nodes;
  const names = new Map(nodes && ids.map((id) => [id, `An instance that was removed (${id})`]));
  for (const { id, name } of nodes ?? []) names.set(id, name);
  return { names, told, read };
}
