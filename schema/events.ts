import type { GroupChanged, MetricsMeasured } from './events/fleet.js';
import type {
  CanaryProgressed,
  GitOpsChanged,
  ClusterScoreChanged,
  PolicyChanged,
  ScoreChanged,
  ViolationChanged,
} from './events/governance.js';
import type {
  ClusterChanged,
  ClusterFactsChanged,
  DeploymentChanged,
  PlacementChanged,
  ServerChanged,
} from './events/hosting.js';

export type * from './events/fleet.js';
export type * from './events/governance.js';
export type * from './events/hosting.js';

/**
 * The published language between subgraphs: each event's topic and what its payload holds. Types only. How to read a
 * topic: `area.noun.past-participle`.
 */
export interface Events {
  'billing.entitlement.granted': EntitlementGranted;
  'billing.plan.decided': PlanDecided;
  'billing.subscription.changed': SubscriptionChanged;
  'billing.notice.raised': NoticeRaised;
  'billing.partner.changed': PartnerChanged;
  'billing.invoice.paid': InvoicePaid;
  'billing.invoice.refunded': InvoiceRefunded;
  'billing.test-clock.advanced': TestClockAdvanced;
  'fleet.usage.measured': UsageMeasured;
  'identity.usage.measured': UsageMeasured;
  'identity.tenant.created': TenantCreated;
  'identity.branding.changed': BrandingChanged;
  'identity.member.changed': MemberChanged;
  'identity.session.revoked': SessionRevoked;
  'identity.api-key.revoked': ApiKeyRevoked;
  'identity.delegation.granted': DelegationChanged;
  'identity.delegation.used': DelegationChanged;
  'identity.delegation.ended': DelegationChanged;
  'identity.tenant.suspended': TenantSuspended;
  'identity.tenant.restored': TenantRestored;
  'identity.tenant.erased': TenantErased;
  'identity.msp-client.changed': MspClientChanged;
  'erasure.rows.exported': RowsExported;
  'erasure.area.completed': AreaErased;
  'identity.users.counted': UsersCounted;
  'fleet.instances.counted': InstancesCounted;
  'audit.security.recorded': SecurityRecorded;
  'fleet.instance.enrolled': InstanceEnrolled;
  'fleet.instance.changed': InstanceChanged;
  'fleet.alert.changed': AlertChanged;
  'fleet.instance.updated': InstanceUpdated;
  'fleet.instance.decommissioned': InstanceDecommissioned;
  'fleet.credential.offered': CredentialOffered;
  'fleet.credential.revoked': CredentialRevoked;
  'fleet.command.offered': CommandOffered;
  'fleet.command.progressed': CommandProgressed;
  'fleet.facts.changed': FactsChanged;
  'fleet.group.changed': GroupChanged;
  'fleet.metrics.measured': MetricsMeasured;
  'governance.score.changed': ScoreChanged;
  'governance.violation.changed': ViolationChanged;
  'governance.policy.changed': PolicyChanged;
  'governance.cluster-score.changed': ClusterScoreChanged;
  'governance.canary.progressed': CanaryProgressed;
  'governance.gitops.changed': GitOpsChanged;
  'hosting.server.changed': ServerChanged;
  'hosting.cluster.changed': ClusterChanged;
  'hosting.cluster.facts-changed': ClusterFactsChanged;
  'hosting.deployment.changed': DeploymentChanged;
  'hosting.placement.changed': PlacementChanged;
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
  /** Nothing may be added until an overdue payment is made. */
  isReadOnly?: boolean;
  /** Who decided on the plan; absent where only what is left of it has changed. */
  source?: 'SUBSCRIPTION' | 'GRANT' | 'PROVIDER';
}

/** What a tenant's subscription gives it from now on. One with a lower version is stale. */
export interface PlanDecided {
  version: number;
  plan: 'FREE' | 'PRO' | 'ENTERPRISE';
  /** By contract, in the place of the plan's own; null is unlimited. */
  instanceLimit?: number | null;
  isReadOnly: boolean;
}

/** A subscription, or what follows from it, is different from now on. */
export interface SubscriptionChanged {
  plan: 'FREE' | 'PRO' | 'ENTERPRISE';
  status: string;
}

/** A partner registered, was decided about, or has another tier. One with a lower version is stale. */
export interface PartnerChanged {
  partnerId: string;
  status: 'PENDING' | 'APPROVED' | 'REJECTED' | 'SUSPENDED';
  /** The tier that it had until now, and has; the same where it is not that which has changed. */
  fromTier: string | null;
  tier: string | null;
  instances: number;
  discountPercent: number;
}

/** An invoice of a partner's customer was paid; told once each. Minor units and ISO 4217. */
export interface InvoicePaid {
  invoiceId: string;
  amountPaid: number;
  currency: string;
  paidAt: string;
}

/**
 * More, or less, of a paid invoice of a partner's customer went back to it than was told before: refunds may fail. The
 * amount is all that went back of it by now, in minor units of the invoice's currency.
 */
export interface InvoiceRefunded {
  invoiceId: string;
  amountReturned: number;
  /** Rises by one with each amount of an invoice. */
  version: number;
  returnedAt: string;
}

/**
 * A tenant's own time, in a demo or a test, has jumped: all that it has under way is to be as if as much time had passed.
 */
export interface TestClockAdvanced {
  /** ISO 8601, the tenant's time. */
  from: string;
  to: string;
  /** Whole milliseconds, above 0. */
  byMs: number;
}

/** Whoever pays for the tenant is to be told. */
export interface NoticeRaised {
  notice: BillingNotice;
  /** Of a failed payment: minor units and ISO 4217, where known. */
  amountDue?: number;
  currency?: string;
  /** When nothing can be added any more, or the plan ends. */
  at?: string;
  /** Of use near its limit. */
  metric?: 'instances' | 'users' | 'storageGb';
  used?: number;
  limit?: number;
}

export type BillingNotice =
  | 'PAYMENT_FAILED'
  | 'PAYMENT_REMINDER'
  | 'READ_ONLY_SOON'
  | 'READ_ONLY'
  | 'TRIAL_ENDS'
  | 'SUBSCRIPTION_ENDED'
  | 'USAGE_NEAR_LIMIT'
  | 'USAGE_AT_LIMIT';

/** What a tenant used in one hour; told once each hour, and the same when told again. */
export interface UsageMeasured {
  /** The hour's beginning. */
  hour: string;
  instances?: number;
  storageGb?: number;
  users?: number;
}

export interface TenantCreated {
  tenantId: string;
  name: string;
  plan: 'FREE' | 'PRO' | 'ENTERPRISE';
  /** The provider whose client it is, and who pays for it. */
  parentTenantId?: string;
}

/** How a tenant presents itself in the mail it causes, if its plan includes that. One with a lower version is stale. */
export interface BrandingChanged {
  /** One line. */
  companyName: string;
  supportEmail: string | null;
}

/** A user of the tenant has another role from now on, or none: they were removed. */
export interface MemberChanged {
  userId: string;
  role: 'OWNER' | 'ADMIN' | 'OPERATOR' | 'BILLING' | 'VIEWER' | null;
}

/** The API key, and tokens it was exchanged for, are refused from now on. */
export interface ApiKeyRevoked {
  keyId: string;
}

/** A client's grant to its provider: made, acted under, or ended. */
export interface DelegationChanged {
  delegationId: string;
  providerId: string;
}

/** Nobody acts in the tenant from now on: users, nodes and API keys are refused. */
export interface TenantSuspended {
  tenantId: string;
}

/** The tenant is no longer suspended. */
export interface TenantRestored {
  tenantId: string;
}

/** Every area is to erase the tenant. Told in the name of its provider, since the tenant itself has no tomorrow. */
export interface TenantErased {
  tenantId: string;
  erasureId: string;
}

/** Rows of a tenant that one area has erased, for the export. */
export interface RowsExported {
  erasureId: string;
  area: string;
  table: string;
  part: number;
  rows: Record<string, unknown>[];
}

/** One area has nothing of the tenant any more. */
export interface AreaErased {
  erasureId: string;
  area: string;
  /** Table to how many rows there were. */
  rows: Record<string, number>;
}

/** What a provider gave a client; told in the provider's name. One with a lower version is stale. */
export interface MspClientChanged {
  clientId: string;
  version: number;
  name: string;
  plan: 'FREE' | 'PRO' | 'ENTERPRISE';
  instanceLimit: number;
  isSuspended: boolean;
  /** Who is to be invited as its owner, if it has no user yet. */
  invitation: { email: string; invitedBy: string } | null;
  /** Who did what at the provider, for the client's own audit trail. */
  cause: {
    action: string;
    actor: string;
    actorKind: string;
    clientAddress: string;
    changes: Record<string, unknown>;
  };
}

/** How many users and open invitations a tenant has from now on. */
export interface UsersCounted {
  count: number;
}

/** How many instances a tenant has from now on. */
export interface InstancesCounted {
  count: number;
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
    | 'SECOND_FACTOR_RESET'
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
    | 'authn_code_replay'
    | 'delegation_used'
    | 'impersonation_refused';
  userId: string;
  reason?: string;
  clientAddress: string;
  /** Who did it, where that is not an anonymous caller, and to what. */
  actor?: string;
  actorKind?: string;
  target?: string;
  /** Of a refused impersonation: who had asked for it, by which token, for which node. */
  impersonator?: string;
  jti?: string;
  audience?: string;
  /** Where a provider's user acts for a client: under which grant, and from which tenant. */
  grant?: string;
  actorTenant?: string;
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
  /** Absent in events from before it was told. */
  version?: string;
  tags?: string[];
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
  /** `OFFLINE`, `CPU`, `MEMORY`, `DISK`, `COMPONENT_UNHEALTHY`, `COMMAND_FAILED`, `DUPLICATE_IDENTITY`. */
  rule: string;
  severity: 'INFO' | 'WARNING' | 'CRITICAL';
  from: 'PENDING' | 'FIRING' | 'ACKNOWLEDGED' | 'RESOLVED' | null;
  to: 'PENDING' | 'FIRING' | 'ACKNOWLEDGED' | 'RESOLVED';
}

/** An instance was renamed or tagged; this is how it is now. */
export interface InstanceUpdated {
  instanceId: string;
  name: string;
  tags: string[];
  /** Told once of those that there were before it was listened for. */
  hostname?: string;
  status?: 'HEALTHY' | 'DEGRADED' | 'OFFLINE';
}

/** An instance left the fleet for good. */
export interface InstanceDecommissioned {
  instanceId: string;
  name: string;
}

/** A new credential waits for a node, to be handed out with its next beat. */
export interface CredentialOffered {
  instanceId: string;
}

/** Credentials of the instance of a lower generation are refused from now on. */
export interface CredentialRevoked {
  instanceId: string;
  belowGeneration: number;
}

/** A node reports other facts of itself than before, or runs another version. */
export interface FactsChanged {
  instanceId: string;
  /** The version of Cloud OS that it runs. */
  version: string;
  /** All that it reports now, as it came; null when only the version is another. */
  facts: Record<string, unknown> | null;
  reportedAt: string;
}
