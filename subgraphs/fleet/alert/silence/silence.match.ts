import type { SilenceMatcher } from './silence.entity.js';
import { SilenceField, SilenceOperator, SilenceState } from './silence.kinds.js';

/** What of an alert matchers look at. */
export interface SilenceSubject {
  rule: string;
  severity: string;
  instanceId: string;
  instanceName: string;
  component: string;
  tags: readonly string[];
}

export interface SilenceWindow {
  startsAt: Date;
  endsAt: Date;
}

export function stateOf({ startsAt, endsAt }: SilenceWindow, now: Date): SilenceState {
  if (endsAt <= now) return SilenceState.EXPIRED;
  return startsAt <= now ? SilenceState.ACTIVE : SilenceState.PENDING;
}

/** Whether a silence is about this alert, whatever its window. */
export function isAbout(matchers: readonly SilenceMatcher[], subject: SilenceSubject): boolean {
  return matchers.every(({ field, operator, value }) => {
    const actual = valuesOf(field, subject).map((text) => text.toLowerCase());
    const wanted = value.toLowerCase();
    switch (operator) {
      case SilenceOperator.EQUALS:
        return actual.includes(wanted);
      case SilenceOperator.NOT_EQUALS:
        return !actual.includes(wanted);
      case SilenceOperator.MATCHES:
        return actual.some((text) => isLike(text, wanted));
      case SilenceOperator.NOT_MATCHES:
        return !actual.some((text) => isLike(text, wanted));
    }
  });
}

function valuesOf(field: SilenceField, subject: SilenceSubject): readonly string[] {
  switch (field) {
    case SilenceField.RULE:
      return [subject.rule];
    case SilenceField.SEVERITY:
      return [subject.severity];
    case SilenceField.INSTANCE_ID:
      return [subject.instanceId];
    case SilenceField.INSTANCE_NAME:
      return [subject.instanceName];
    case SilenceField.TAG:
      return subject.tags;
    case SilenceField.COMPONENT:
      return [subject.component];
  }
}

/** Not by a regular expression: patterns come from users, and this takes no longer than the texts are. */
function isLike(text: string, pattern: string): boolean {
  const [first = '', ...rest] = pattern.split('*');
  const last = rest.pop();
  if (last === undefined) return text === first;
  if (!text.startsWith(first)) return false;
  let at = first.length;
  for (const part of rest) {
    const found = text.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return text.length - last.length >= at && text.endsWith(last);
}
