import { useState } from 'react';

import { useRead } from '../api/use-read.ts';
import {
  CreatePolicyDocument,
  FactKindsDocument,
  type PolicyEnforcement,
  type PolicySeverity,
} from '../generated/graphql.ts';
import { ActionForm } from '../parts/action-form.tsx';
import { Card } from '../parts/card.tsx';
import { Choice, Field, Select } from '../parts/field.tsx';
import { textOf, wordsIn } from '../parts/form.ts';
import { WhatIf } from './what-if.tsx';

const enforcements = [
  { value: 'ADVISORY', text: 'Advisory: it is shown' },
  { value: 'MANDATORY', text: 'Mandatory: it alerts, and changes that break it are refused' },
];
const severities = ['LOW', 'MEDIUM', 'HIGH', 'CRITICAL'].map((value) => ({
  value,
  text: value.charAt(0) + value.slice(1).toLowerCase(),
}));

/** What was typed, as the API takes it: JSON where it is some, else the text itself. */
function valueOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

/** One comparison of one fact, and whom it would hit, before it is in force. */
export function NewPolicy({ onMade }: { onMade: () => void }) {
  const { data } = useRead(FactKindsDocument);
  const [condition, setCondition] = useState('cloud_os.version');
  const [operator, setOperator] = useState('exists');
  const [value, setValue] = useState('true');
  const [tags, setTags] = useState('');
  const facts = data?.factKinds.facts ?? [];
  const fact = facts.find(({ path }) => path === condition);
  const operators = fact?.operators ?? ['exists'];
  const rule = { condition, operator, value: valueOf(value) };
  const given = wordsIn(tags);
  const appliesTo = given.length > 0 ? { tags: given } : 'all_instances';
  return (
    <Card title="New policy" className="wide">
      <ActionForm
        document={CreatePolicyDocument}
        variables={(form) => ({
          input: {
            name: textOf(form, 'name'),
            resolution: textOf(form, 'resolution') || null,
            enforcement: textOf(form, 'enforcement') as PolicyEnforcement,
            severity: textOf(form, 'severity') as PolicySeverity,
            rule,
            appliesTo,
          },
        })}
        submit="Put it into force"
        done="The policy is in force."
        onDone={onMade}
      >
        <Field label="Name of the policy" name="name" required maxLength={200} />
        <Choice
          label="Fact"
          value={condition}
          options={facts.map(({ path }) => ({ value: path, text: path }))}
          onChange={(path) => {
            const known = facts.find((one) => one.path === path)?.operators ?? [];
            setCondition(path);
            if (!known.includes(operator)) setOperator(known[0] ?? 'exists');
          }}
        />
        {fact && (
          <p className="quiet">
            {fact.description} {fact.unit && `In ${fact.unit}.`}
          </p>
        )}
        <Choice
          label="Has to be"
          value={operator}
          options={operators.map((one) => ({ value: one, text: one.replaceAll('_', ' ') }))}
          onChange={setOperator}
        />
        <Field
          label="Value"
          value={value}
          required
          onChange={(event) => setValue(event.target.value)}
          hint="A number, true, false, a text, or a list as in [1, 2]."
        />
        <Field
          label="Only for the tags"
          value={tags}
          onChange={(event) => setTags(event.target.value)}
          hint="Separated by commas; left empty it is for all instances."
        />
        <Select label="Enforcement" name="enforcement" options={enforcements} />
        <Select label="Severity" name="severity" options={severities} defaultValue="MEDIUM" />
        <Field label="What to do where it does not hold" name="resolution" maxLength={2000} />
        <WhatIf rule={rule} appliesTo={appliesTo} />
      </ActionForm>
    </Card>
  );
}
