import type { AlertRowFragment, SilenceField } from '../generated/graphql.ts';

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
