import type { AlertRuleKind, AlertSeverity } from './alert.kinds.js';
import type { Progress } from './alert.progress.js';
import type { AlertOverride } from './override/alert-override.js';

/** A condition that holds and has no alert yet. */
export interface FoundCondition {
  tenantId: string;
  instanceId: string;
  instanceName: string;
  rule: AlertRuleKind;
  component: string;
  value: number | null;
  detail: string | null;
  /** When it was found: the beat, or the start of the outage. */
  at: Date;
  sampledAt: Date | null;
  severity: AlertSeverity;
  threshold: number | null;
  forSeconds: number;
  keepFiringForSeconds: number;
  /** Which override these are of, if any. */
  override: AlertOverride | null;
}

/** An open alert, its rule, and what its instance has told since. */
export interface DueAlert extends Progress, Omit<FoundCondition, 'at' | 'detail' | 'value'> {
  id: string;
  message: string;
  notifiedAt: Date | null;
  notifyAt: Date | null;
  observedTo: Date;
  sampledTo: Date | null;
  isEnabled: boolean;
  isThere: boolean;
  isOffline: boolean;
  /** Offline, and not because its agent was stopped. */
  isSilent: boolean;
  statusChangedAt: Date | null;
  beatAt: Date | null;
  offlineAt: Date | null;
  isDuplicate: boolean;
  regressedAt: Date | null;
  measured: number | null;
  unhealthy: { detail: string | null } | null;
  samples: readonly { at: Date; value: number | null }[];
}

/** As the driver gives it: times are text. */
type Raw<T> = {
  [Key in keyof T]: T[Key] extends Date ? string : T[Key] extends Date | null ? string | null : T[Key];
};

export type FoundRow = Raw<FoundCondition>;
export type DueRow = Raw<Omit<DueAlert, 'samples' | 'isOffline' | 'isSilent'>> & {
  isOffline: boolean | null;
  isSilent: boolean | null;
  samples: readonly { at: string; value: number | null }[] | null;
};

export function toFound(row: FoundRow): FoundCondition {
  return { ...row, at: new Date(row.at), sampledAt: time(row.sampledAt) };
}

export function toDue(row: DueRow): DueAlert {
  return {
    ...row,
    startedAt: new Date(row.startedAt),
    firedAt: time(row.firedAt),
    lastSeenAt: new Date(row.lastSeenAt),
    clearSince: time(row.clearSince),
    notifiedAt: time(row.notifiedAt),
    notifyAt: time(row.notifyAt),
    observedTo: new Date(row.observedTo),
    sampledTo: time(row.sampledTo),
    isOffline: row.isOffline ?? false,
    isSilent: row.isSilent ?? false,
    statusChangedAt: time(row.statusChangedAt),
    beatAt: time(row.beatAt),
    offlineAt: time(row.offlineAt),
    regressedAt: time(row.regressedAt),
    sampledAt: time(row.sampledAt),
    samples: (row.samples ?? []).map(({ at, value }) => ({ at: new Date(at), value })),
  };
}

function time(text: string | null): Date | null {
  return text === null ? null : new Date(text);
}
