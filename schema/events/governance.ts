/** An instance's score, or how many policies do not hold there, is another from now on. */
export interface ScoreChanged {
  instanceId: string;
  /** 0 to 100; null when nothing is known. */
  score: number | null;
  /** What it was before: the same where only the violations are others. Absent in events from before it was told. */
  previousScore?: number | null;
  violations: number;
}

/** How far policies hold on all that a tenant has is another figure from now on. One with a lower version is stale. */
export interface OverallScoreChanged {
  /** 0 to 100; null when nothing is known. */
  score: number | null;
}

/** A mandatory policy does not hold on an instance any more, or holds again or applies no longer. */
export interface ViolationChanged {
  instanceId: string;
  policyId: string;
  policyName: string;
  severity: string;
  isViolated: boolean;
}

/** A policy was made, changed or removed. */
export interface PolicyChanged {
  policyId: string;
  isRemoved: boolean;
  /** How many mandatory policies the tenant has now; one with a lower version is stale. */
  mandatory: number;
  /** What of all that is measured its policies are about, by path; absent in events from before it was told. */
  metrics?: string[];
  version: number;
}

/** A canary moved from one status to another, or came further in the one that it is in. */
export interface CanaryProgressed {
  canaryId: string;
  /** Null when it is new. */
  from: string | null;
  to: string;
  /** The step that it is at, from 1; 0 before it begins. */
  step: number;
  reason: string | null;
  /** The reason for people; absent, as its name is, in events from before it was told. */
  message?: string | null;
  name?: string;
}

/** A repository is shown otherwise than before. */
export interface GitOpsChanged {
  configId: string;
  syncStatus: 'SYNCED' | 'OUT_OF_SYNC' | 'UNKNOWN';
  health: 'HEALTHY' | 'PROGRESSING' | 'DEGRADED' | 'SUSPENDED' | 'UNKNOWN';
  /** As it was before this; absent where nobody looked at it, and in events from before it was told. */
  healthBefore?: string;
  /** The commit that is in force. */
  commit: string | null;
  /** The first of its problems; absent, as its name is, in events from before it was told. */
  problem?: string | null;
  name?: string;
}

/** A repository is nobody's concern any more. */
export interface GitOpsRemoved {
  name: string;
}

/** What mends a policy on an instance was asked for, is under way, or has ended. */
export interface RemediationChanged {
  policyId: string;
  instanceId: string;
  status: string;
}
