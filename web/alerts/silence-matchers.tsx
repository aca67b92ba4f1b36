import { Link } from '@tanstack/react-router';
import { Fragment } from 'react';

import type {
  AlertRowFragment,
  SilenceField,
  SilenceOperator,
  SilenceRowFragment,
} from '../generated/graphql.ts';
import { words } from '../parts/words.ts';

/** What a silence that is made from an alert can be about. */
export const silenceFields = [
  'RULE',
  'SEVERITY',
  'INSTANCE_ID',
  'COMPONENT',
] as const satisfies readonly SilenceField[];

export type Matchable = (typeof silenceFields)[number];

export function valueOf(alert: AlertRowFragment, field: Matchable): string | null {
  switch (field) {
    case 'RULE':
      return alert.rule;
    case 'SEVERITY':
      return alert.severity;
    case 'INSTANCE_ID':
      return alert.instanceId;
    case 'COMPONENT':
      return alert.component;
  }
}

export const fieldNames: Record<SilenceField, string> = {
  RULE: 'Rule',
  SEVERITY: 'Severity',
  INSTANCE_ID: 'Instance',
  INSTANCE_NAME: 'Name of the instance',
  TAG: 'Tag of the instance',
  COMPONENT: 'Component',
};

export const operatorNames: Record<SilenceOperator, string> = {
  EQUALS: 'is',
  NOT_EQUALS: 'is not',
  MATCHES: 'is like',
  NOT_MATCHES: 'is not like',
};

type Matcher = SilenceRowFragment['matchers'][number];

interface MatchersProps {
  matchers: readonly Matcher[];
  /** An instance by its id, as people call it. */
  nameOf: (id: string) => string;
}

/** Which alerts a silence is about. */
export function Matchers({ matchers, nameOf }: MatchersProps) {
  return matchers.map((matcher, at) => (
    <Fragment key={at}>
      {at > 0 && ' and '}
      {fieldNames[matcher.field]} {operatorNames[matcher.operator]}{' '}
      <Value matcher={matcher} nameOf={nameOf} />
    </Fragment>
  ));
}

function Value({
  matcher: { field, operator, value },
  nameOf,
}: Omit<MatchersProps, 'matchers'> & { matcher: Matcher }) {
  const isOne = operator === 'EQUALS' || operator === 'NOT_EQUALS';
  if (!isOne) return <code>{value}</code>;
  if (field === 'INSTANCE_ID') {
    return (
      <Link to="/instances/$id" params={{ id: value }}>
        {nameOf(value)}
      </Link>
    );
  }
  return field === 'RULE' || field === 'SEVERITY' ? words(value) : value;
}
