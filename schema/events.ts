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
  'fleet.alert.changed': AlertChanged;
  'fleet.command.offered': CommandOffered;
  'fleet.command.progressed': CommandProgressed;
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
  reason:
    | 'LOGGED_OUT'
    | 'REVOKED'
    | 'PASSWORD_CHANGED'
    | 'PASSWORD_RESET'
    | 'REFRESH_TOKEN_REUSED'
    | 'ROLE_CHANGED'
    | 'MEMBER_REMOVED'
    | 'TENANT_SUSPENDED';
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

/** Something waits for these nodes; each asks for it with its own credential. */
export interface CommandOffered {
  commandId: string;
  instanceIds: string[];
}

/** A command was sent, or changed on one instance, or on many at once (`instanceId` is null then). */
export interface CommandProgressed {
  commandId: string;
  /** The kind: `UPDATE`, `RESTART`, ... */
  command: string;
  /** Of the command as a whole; it has ended by SUCCESS, INCOMPLETE, FAILED, DELIVERY_TIMED_OUT or CANCELLED. */
  status: string;
  instanceId: string | null;
  instanceStatus: string | null;
}

/** An alert began to fire, was acknowledged, or was resolved. `from` is null when it fired at first sight. */
export interface AlertChanged {
  alertId: string;
  instanceId: string;
  /** `OFFLINE`, `CPU`, `MEMORY`, `DISK`, `COMPONENT_UNHEALTHY`. */
  rule: string;
  severity: 'INFO' | 'WARNING' | 'CRITICAL';
  from: 'PENDING' | 'FIRING' | 'ACKNOWLEDGED' | 'RESOLVED' | null;
  to: 'PENDING' | 'FIRING' | 'ACKNOWLEDGED' | 'RESOLVED';
}
