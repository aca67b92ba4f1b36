import { useRef, useState } from 'react';

import { announce } from '../parts/announce.tsx';
import { Choice, FieldGroup } from '../parts/field.tsx';
import { plural } from '../parts/words.ts';
import { Comparison } from './comparison.tsx';
import {
  bounds,
  combine,
  combiners,
  countOf,
  isCombined,
  newComparison,
  single,
  type CombinedPart,
  type Combiner,
  type Fact,
  type RulePart,
} from './rule-parts.ts';

const combinerTexts: Record<Combiner, string> = {
  all: 'All of these hold',
  any: 'Any of these holds',
  none: 'None of these holds',
};

interface RuleEditorProps {
  rule: RulePart;
  facts: readonly Fact[];
  onChange: (rule: RulePart) => void;
}

/** A rule: one comparison, or several that are combined, within each other as deep as the panel takes them. */
export function RuleEditor({ rule, facts, onChange }: RuleEditorProps) {
  const count = countOf(rule);
  return (
    <Part
      part={rule}
      place={{ path: 'rule', number: '', depth: 1 }}
      facts={facts}
      isFull={count >= bounds.comparisons}
      onChange={onChange}
    />
  );
}

/** Where a part is: for the API, for people, and how deep. */
interface Place {
  path: string;
  /** `2.1` is the first part of the second one; empty for the whole. */
  number: string;
  depth: number;
}

interface PartProps {
  part: RulePart;
  place: Place;
  facts: readonly Fact[];
  /** Whether there are as many comparisons as there may be. */
  isFull: boolean;
  isNew?: boolean;
  onChange: (part: RulePart) => void;
  onRemove?: () => void;
}

function Part({ part, place, facts, isFull, isNew = false, onChange, onRemove }: PartProps) {
  const { path, number, depth } = place;
  // A part that is combined has its own parts one level below.
  const mayCombine = depth < bounds.depth;
  const maySingle = !isCombined(part) || part.parts.length === 1;
  const options = [
    ...(maySingle ? [{ value: 'one' as const, text: 'One comparison holds' }] : []),
    ...(mayCombine || isCombined(part)
      ? combiners.map((value) => ({ value, text: combinerTexts[value] }))
      : []),
  ];
  const turn = (kind: Combiner | 'one') => {
    if (kind !== 'one') onChange(combine(part, kind));
    else if (isCombined(part)) onChange(single(part));
  };
  return (
    <FieldGroup legend={number === '' ? 'Rule' : `Part ${number}`} name={path}>
      <Choice
        label={number === '' ? 'What has to be' : `What has to be in part ${number}`}
        value={isCombined(part) ? part.operator : 'one'}
        options={options}
        name={isCombined(part) ? `${path}.operator` : `${path}.kind`}
        autoFocus={isNew}
        onChange={turn}
      />
      {isCombined(part) ? (
        <Parts part={part} place={place} facts={facts} isFull={isFull} onChange={onChange} />
      ) : (
        <Comparison part={part} path={path} number={number} facts={facts} onChange={onChange} />
      )}
      {onRemove && (
        <button type="button" onClick={onRemove}>
          Remove part {number}
        </button>
      )}
    </FieldGroup>
  );
}

interface PartsProps extends Omit<PartProps, 'part' | 'isNew' | 'onRemove'> {
  part: CombinedPart;
}

function Parts({ part, place: { path, number, depth }, facts, isFull, onChange }: PartsProps) {
  const [added, setAdded] = useState<number>();
  const adder = useRef<HTMLButtonElement>(null);
  const { parts } = part;
  const numberOf = (at: number) => (number === '' ? String(at + 1) : `${number}.${at + 1}`);
  const add = () => {
    const fresh = newComparison();
    setAdded(fresh.key);
    onChange({ ...part, parts: [...parts, fresh] });
  };
  const remove = (at: number) => {
    onChange({ ...part, parts: parts.toSpliced(at, 1) });
    announce(`Part ${numberOf(at)} is removed.`);
    // What had the focus is gone.
    adder.current?.focus();
  };
  return (
    <>
      {parts.map((one, at) => (
        <Part
          key={one.key}
          part={one}
          place={{ path: `${path}.value.${at}`, number: numberOf(at), depth: depth + 1 }}
          facts={facts}
          isFull={isFull}
          isNew={one.key === added}
          onChange={(changed) => onChange({ ...part, parts: parts.with(at, changed) })}
          {...(parts.length > 1 ? { onRemove: () => remove(at) } : {})}
        />
      ))}
      <button ref={adder} type="button" disabled={isFull} onClick={add}>
        {number === '' ? 'Add a part' : `Add a part to part ${number}`}
      </button>
      {isFull && (
        <p className="quiet">
          A rule has at most {plural(bounds.comparisons, 'comparison')}. Put the others into another policy.
        </p>
      )}
    </>
  );
}
