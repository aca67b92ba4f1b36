/**
 * The published language between subgraphs: each event's topic and what its payload holds. Types only. How to read a
 * topic: `area.noun.past-participle`.
 */
export interface Events {
  'billing.entitlement.granted': EntitlementGranted;
  'identity.tenant.created': TenantCreated;
  'identity.session.revoked': SessionRevoked;
  'audit.security.recorded': SecurityRecorded;
  'fleet.instance.enrolled': InstanceEnrolled;
  'fleet.instance.changed': InstanceChanged;
}

export type Topic = keyof Events;

/** What a tenant may use from now on. A consumer that holds a higher version ignores it. Limits of null are unlimited. */
export interface EntitlementGranted {
  tenantId: string;
  version: number;
  plan: 'FREE' | 'PRO' | 'ENTERPRISE';
  features: string[];
  /** `instances`, `users`, `storageGb`. */
  limits: Record<string, number | null>;
}

export interface TenantCreated {
  tenantId: string;
  name: string;
  plan: 'FREE' | 'PRO' | 'ENTERPRISE';
}

/** Access tokens of the session are refused from now on. */
export interface SessionRevoked {
  sessionId: string;
  userId: string;
  reason: 'LOGGED_OUT' | 'REVOKED' | 'PASSWORD_CHANGED' | 'PASSWORD_RESET' | 'REFRESH_TOKEN_REUSED';
}

/** Something that changed nothing but matters to whoever watches over a tenant. */
export interface SecurityRecorded {
  /** Words of the OWASP Logging Vocabulary where it has one. */
  action:
    | 'authn_login_fail'
    | 'authn_login_lock'
    | 'authn_token_reuse'
    | 'authn_totp_fail'
    | 'authn_recovery_code_used'
    | 'authn_code_replay';
  userId: string;
  reason?: string;
  clientAddress: string;
}

export interface InstanceEnrolled {
  instanceId: string;
  name: string;
  hostname: string;
  /** Where browsers reach the node. */
  baseUrl: string;
  /** The only ones that sign-in codes are sent to. */
  redirectUris: string[];
  enrollmentTokenId: string;
}

/** An instance's status went from one to another, or its reasons changed. */
export interface InstanceChanged {
  instanceId: string;
  from: 'HEALTHY' | 'DEGRADED' | 'OFFLINE' | null;
  to: 'HEALTHY' | 'DEGRADED' | 'OFFLINE';
}
