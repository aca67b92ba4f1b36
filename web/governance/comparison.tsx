import { Choice, Field } from '../parts/field.tsx';
import { factAt, isYesOrNo, type ComparisonPart, type Fact } from './rule-parts.ts';

interface ComparisonProps {
  part: ComparisonPart;
  /** Where it is in the rule, for the API. */
  path: string;
  /** Where it is in the rule, for people; empty where it is the whole rule. */
  number: string;
  facts: readonly Fact[];
  onChange: (part: ComparisonPart) => void;
}

const custom = 'custom.';

/** One fact, how it is compared, and with what. */
export function Comparison({ part, path, number, facts, onChange }: ComparisonProps) {
  const { condition, operator, text } = part;
  const fact = factAt(condition, facts);
  const isCustom = condition.startsWith(custom);
  const operators = fact?.operators ?? [operator];
  const named = (label: string) => (number === '' ? label : `${label} ${number}`);
  const change = (changes: Partial<Pick<ComparisonPart, 'condition' | 'operator'>>) => {
    const { kept: _, ...before } = part;
    const after = { ...before, ...changes };
    const then = factAt(after.condition, facts);
    if (then && !then.operators.includes(after.operator)) after.operator = then.operators[0] ?? 'exists';
    const wasYesOrNo = isYesOrNo(operator, fact);
    if (isYesOrNo(after.operator, then)) after.text = wasYesOrNo ? text : 'true';
    else if (wasYesOrNo) after.text = '';
    onChange(after);
  };
  const write = (value: string) => {
    const { kept: _, ...before } = part;
    onChange({ ...before, text: value });
  };
  return (
    <>
      <Choice
        label={named('Fact')}
        name={isCustom ? `${path}.fact` : `${path}.condition`}
        value={isCustom ? `${custom}*` : condition}
        options={factOptions(condition, isCustom, facts)}
        onChange={(chosen) => change({ condition: chosen.replace('*', '') })}
      />
      {isCustom && (
        <Field
          label={named('Path below custom')}
          name={`${path}.condition`}
          value={condition.slice(custom.length)}
          required
          pattern="[\w\-]+(\.[\w\-]+)*"
          onChange={(event) => change({ condition: custom + event.target.value })}
          hint="As the nodes report it: rack stands for custom.rack."
        />
      )}
      {fact && (
        <p className="quiet">
          {fact.description} {fact.unit && `In ${fact.unit}.`}
        </p>
      )}
      <Choice
        label={named('Has to be')}
        name={`${path}.operator`}
        value={operator}
        options={operators.map((one) => ({ value: one, text: one.replaceAll('_', ' ') }))}
        onChange={(chosen) => change({ operator: chosen })}
      />
      {isYesOrNo(operator, fact) ? (
        <Choice
          label={named('Value')}
          name={`${path}.value`}
          value={text === 'false' ? 'false' : 'true'}
          options={[
            { value: 'true', text: 'true' },
            { value: 'false', text: 'false' },
          ]}
          onChange={write}
        />
      ) : (
        <Field
          label={named('Value')}
          name={`${path}.value`}
          value={text}
          required
          onChange={(event) => write(event.target.value)}
          hint={hintOf(operator, fact)}
        />
      )}
    </>
  );
}

function factOptions(condition: string, isCustom: boolean, facts: readonly Fact[]) {
  const options = facts.map(({ path }) => ({ value: path, text: path }));
  const isKnown = isCustom || facts.some(({ path }) => path === condition);
  // While facts are asked for, and for one that the panel has forgotten.
  return isKnown ? options : [{ value: condition, text: condition }, ...options];
}

function hintOf(operator: string, fact: Fact | undefined): string | undefined {
  switch (operator) {
    case 'in':
    case 'not_in':
      return 'Separated by commas.';
    case 'semver':
      return 'A range of versions, as in >=1.2.0 <2.0.0.';
    case 'matches':
      return 'A pattern (RE2), found anywhere in the text.';
    case 'older_than':
    case 'newer_than':
    case 'expires_after':
      return 'A duration, as in 90s, 30m, 24h, 7d or 2w.';
    default:
      return fact?.type === 'ANY' ? 'A number, true, false, or a text.' : undefined;
  }
}
