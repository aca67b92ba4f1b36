/**
 * The published language between subgraphs: each event's topic and what its payload holds. Types only. How to read a
 * topic: `area.noun.past-participle`.
 */
export interface Events {
  'billing.entitlement.granted': Entitlement;
  'identity.tenant.created': TenantCreated;
  'identity.session.revoked': SessionRevoked;
  'fleet.instance.enrolled': InstanceEnrolled;
  'fleet.instance.changed': InstanceChanged;
}

export type Topic = keyof Events;

/** What a tenant may use from now on. A consumer that holds a higher version ignores it. Limits of null are unlimited. */
export interface Entitlement {
  tenantId: string;
  version: number;
  plan: 'FREE' | 'PRO' | 'ENTERPRISE';
  features: string[];
  limits: { instances: number | null; users: number | null; storageGb: number | null };
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
  reason: string;
}

export interface InstanceEnrolled {
  instanceId: string;
  name: string;
  enrollmentTokenId: string;
}

/** An instance's status went from one to another, or its reasons changed. */
export interface InstanceChanged {
  instanceId: string;
  from: 'HEALTHY' | 'DEGRADED' | 'OFFLINE' | null;
  to: 'HEALTHY' | 'DEGRADED' | 'OFFLINE';
}
