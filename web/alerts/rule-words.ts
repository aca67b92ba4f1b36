import type { AlertRuleKind, AlertRuleRowFragment, OverrideRowFragment } from '../generated/graphql.ts';
import { durationText, words } from '../parts/words.ts';

/** What each rule looks for. */
const found: Record<AlertRuleKind, string> = {
  OFFLINE: 'An instance has fallen silent',
  CPU: 'The CPU in use is at',
  MEMORY: 'The memory in use is at',
  DISK: 'The disk in use is at',
  COMPONENT_UNHEALTHY: 'A component says that it is unhealthy',
  COMMAND_FAILED: 'A command failed on an instance',
  DUPLICATE_IDENTITY: 'Two nodes seem to use the same credential',
  POLICY_VIOLATION: 'A mandatory policy does not hold on an instance',
};

/** Those that are told of what has happened: there is nothing to wait for. */
export const firesAtOnce: ReadonlySet<AlertRuleKind> = new Set(['COMMAND_FAILED', 'POLICY_VIOLATION']);

/** When its alerts begin and end, in a line. */
export function ruleText({
  kind,
  threshold,
  forSeconds,
  keepFiringForSeconds,
}: Pick<AlertRuleRowFragment, 'kind' | 'threshold' | 'forSeconds' | 'keepFiringForSeconds'>): string {
  const limit = threshold === null ? '' : ` ${threshold} % or above`;
  const begins = forSeconds === 0 ? ', told at once' : `, for ${durationText(forSeconds)}`;
  const ends = keepFiringForSeconds === 0 ? 'at once' : `for ${durationText(keepFiringForSeconds)}`;
  return `${found[kind]}${limit}${begins}. Over when that is gone ${ends}.`;
}

/** What an override says otherwise than its rule, in a line. */
export function overrideText(override: OverrideRowFragment): string {
  const { isEnabled, threshold, forSeconds, keepFiringForSeconds, severity } = override;
  const parts = [
    ...(isEnabled === null ? [] : [isEnabled ? 'switched on' : 'switched off']),
    ...(threshold === null ? [] : [`${threshold} % or above`]),
    ...(forSeconds === null ? [] : [forSeconds === 0 ? 'told at once' : `for ${durationText(forSeconds)}`]),
    ...(keepFiringForSeconds === null
      ? []
      : [
          `over when gone ${keepFiringForSeconds === 0 ? 'at once' : `for ${durationText(keepFiringForSeconds)}`}`,
        ]),
    ...(severity === null ? [] : [words(severity).toLowerCase()]),
  ];
  return parts.join(', ');
}

/** The group of an override, as far as the viewer may know it. */
export function groupText({ group }: Pick<OverrideRowFragment, 'group'>): string {
  return group ? `the group ${group.name}` : 'a group';
}
