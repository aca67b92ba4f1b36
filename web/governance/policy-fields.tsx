import { useState } from 'react';

import { useRead } from '../api/use-read.ts';
import {
  FactKindsDocument,
  type PolicyEnforcement,
  type PolicyRowFragment,
  type PolicySeverity,
} from '../generated/graphql.ts';
import { Field, LongField, Select } from '../parts/field.tsx';
import { textOf } from '../parts/form.ts';
import { Problem } from '../parts/problem.tsx';
import { remedyAs, RemedyFields, remedyOf } from './remedy.tsx';
import { RuleEditor } from './rule-editor.tsx';
import { newComparison, partOf, ruleOf } from './rule-parts.ts';
import { appliesToOf, everyone, isForNobody, ScopeFields, scopeOf } from './scope.tsx';
import { WhatIf } from './what-if.tsx';

const enforcements = [
  { value: 'ADVISORY', text: 'Advisory: it is shown' },
  { value: 'MANDATORY', text: 'Mandatory: it alerts, and changes that break it are refused' },
  { value: 'DISABLED', text: 'Disabled: it is kept, and not judged' },
];
const severities = ['LOW', 'MEDIUM', 'HIGH', 'CRITICAL'].map((value) => ({
  value,
  text: value.charAt(0) + value.slice(1).toLowerCase(),
}));

type Wanted = Pick<PolicyRowFragment, 'rule' | 'appliesTo'>;

/** The rule that is being written, and whom it is to be for. */
export function useDraft(begun?: Wanted) {
  const { data, told, read } = useRead(FactKindsDocument);
  const [first] = useState(() => (begun ? partOf(begun.rule) : newComparison()));
  const [rule, setRule] = useState(first);
  const [scope, setScope] = useState(() => (begun ? scopeOf(begun.appliesTo) : everyone));
  const facts = data?.factKinds.facts ?? [];
  return {
    facts,
    /** Without them what is typed could not be told to be a number or a text. */
    hasFacts: data !== undefined,
    told,
    read,
    /** Somebody wants it: the form of a new one stands in the page for all who come by. */
    isBegun: begun !== undefined || rule !== first || scope !== everyone,
    rule,
    setRule,
    scope,
    setScope,
    /** As the API takes it. */
    wanted: { rule: ruleOf(rule, facts), appliesTo: appliesToOf(scope) },
  };
}

interface PolicyFieldsProps {
  draft: ReturnType<typeof useDraft>;
  /** The one that is changed, as it was when editing began; none for a new one. */
  policy?: PolicyRowFragment | undefined;
}

/** All that a policy is, and whom it would hit as it is written there. */
export function PolicyFields({ draft, policy }: PolicyFieldsProps) {
  const { facts, hasFacts, told, read, rule, setRule, scope, setScope } = draft;
  return (
    <>
      <Field
        label="Name of the policy"
        name="name"
        required
        maxLength={200}
        defaultValue={policy?.name}
        autoFocus={policy !== undefined}
      />
      <Problem told={told} retry={read} />
      {!hasFacts && !told && <p role="status">Reading what a rule can be about…</p>}
      <RuleEditor rule={rule} facts={facts} onChange={setRule} />
      <ScopeFields scope={scope} onChange={setScope} />
      <Select
        label="Enforcement"
        name="enforcement"
        options={policy ? enforcements : enforcements.slice(0, 2)}
        defaultValue={policy?.enforcement ?? 'ADVISORY'}
      />
      <Select
        label="Severity"
        name="severity"
        options={severities}
        defaultValue={policy?.severity ?? 'MEDIUM'}
      />
      <LongField
        label="What it is for"
        name="description"
        rows={2}
        maxLength={2000}
        defaultValue={policy?.description ?? ''}
      />
      <Field
        label="What to do where it does not hold"
        name="resolution"
        maxLength={2000}
        defaultValue={policy?.resolution ?? ''}
      />
      <RemedyFields remedy={policy?.remediation ?? null} />
      <Outcome draft={draft} policy={policy} />
    </>
  );
}

/** Whom it would hit, once it is known whom it is to be for and somebody writes it: the panel judges all of them for that. */
function Outcome({ draft: { isBegun, scope, wanted }, policy }: PolicyFieldsProps) {
  if (!isBegun) return <p className="quiet">Write its rule, and whom it would hit is shown here.</p>;
  if (isForNobody(scope)) {
    return <p role="status">Choose whom it is for, and whom it would hit is shown here.</p>;
  }
  return (
    <WhatIf rule={wanted.rule} appliesTo={wanted.appliesTo} {...(policy ? { policyId: policy.id } : {})} />
  );
}

/** The same of a policy that is there, as its form would give it. */
export function settingsOf(policy: PolicyRowFragment) {
  const { name, description, resolution, enforcement, severity, remediation, rule, appliesTo } = policy;
  return {
    name,
    description: description || null,
    resolution: resolution || null,
    enforcement,
    severity,
    remediation: remediation && remedyAs(remediation),
    // What nobody has touched is given as it was, whatever facts there are.
    rule: ruleOf(partOf(rule), []),
    appliesTo: appliesToOf(scopeOf(appliesTo)),
  };
}

export function policyOf(form: FormData, before?: PolicyRowFragment) {
  return {
    name: textOf(form, 'name'),
    description: textOf(form, 'description') || null,
    resolution: textOf(form, 'resolution') || null,
    enforcement: textOf(form, 'enforcement') as PolicyEnforcement,
    severity: textOf(form, 'severity') as PolicySeverity,
    remediation: remedyOf(form, before?.remediation ?? null),
  };
}
