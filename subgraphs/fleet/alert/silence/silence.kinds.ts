import { registerEnumType } from 'type-graphql';

export enum SilenceField {
  RULE = 'RULE',
  SEVERITY = 'SEVERITY',
  INSTANCE_ID = 'INSTANCE_ID',
  INSTANCE_NAME = 'INSTANCE_NAME',
  TAG = 'TAG',
  COMPONENT = 'COMPONENT',
}

registerEnumType(SilenceField, {
  name: 'SilenceField',
  description: 'What of an alert a matcher looks at.',
  valuesConfig: {
    RULE: { description: 'The rule, as in `cpu`.' },
    SEVERITY: { description: 'The severity, as in `warning`.' },
    INSTANCE_ID: { description: 'The id of the instance.' },
    INSTANCE_NAME: { description: 'The name of the instance.' },
    TAG: { description: 'Any tag of the instance.' },
    COMPONENT: { description: 'The component; empty for rules that are not about one.' },
  },
});

export enum SilenceOperator {
  EQUALS = 'EQUALS',
  NOT_EQUALS = 'NOT_EQUALS',
  MATCHES = 'MATCHES',
  NOT_MATCHES = 'NOT_MATCHES',
}

registerEnumType(SilenceOperator, {
  name: 'SilenceOperator',
  description: 'How a matcher compares, always without case.',
  valuesConfig: {
    EQUALS: { description: 'It is the value. Of tags: one of them is.' },
    NOT_EQUALS: { description: 'It is not the value. Of tags: none of them is.' },
    MATCHES: {
      description: 'It is like the value, in which `*` stands for any text. Of tags: one of them is.',
    },
    NOT_MATCHES: { description: 'It is not like the value. Of tags: none of them is.' },
  },
});

export enum SilenceState {
  PENDING = 'PENDING',
  ACTIVE = 'ACTIVE',
  EXPIRED = 'EXPIRED',
}

registerEnumType(SilenceState, {
  name: 'SilenceState',
  description: 'Where now is in the window of a silence.',
  valuesConfig: {
    PENDING: { description: 'Before it.' },
    ACTIVE: { description: 'In it: channels are not told of alerts that it matches.' },
    EXPIRED: { description: 'After it.' },
  },
});
