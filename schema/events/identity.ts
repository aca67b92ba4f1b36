export interface TenantCreated {
  tenantId: string;
  name: string;
  plan: 'FREE' | 'PRO' | 'ENTERPRISE';
  /** The provider whose client it is, and who pays for it. */
  parentTenantId?: string;
}

/** What the tenant is called from now on. */
export interface TenantRenamed {
  name: string;
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

/**
 * The address of an account was proved, by a password that was reset, which nobody had proved before: all that was made in
 * its organization until then may be a stranger's, whether or not whoever made it is still there.
 */
export interface AccountReclaimed {
  /** The users and API keys that are there: what they made in other organizations may be a stranger's as well. */
  makers: string[];
}

/** The API key, and tokens it was exchanged for, are refused from now on. */
export interface ApiKeyRevoked {
  keyId: string;
}

/** A client's grant to its provider: made, acted under, given to others, or ended. */
export interface DelegationChanged {
  delegationId: string;
  providerId: string;
  /** The users of the provider who alone may act under it; null for all of them. Events of the version before have none. */
  userIds?: string[] | null;
}

/** The same, to the provider: events are of one tenant, and the grant is the client's. */
export interface DelegationReceived {
  delegationId: string;
  clientId: string;
}

/** A provider asks a client for access, or that was answered or withdrawn; told in the client's name. */
export interface DelegationRequestChanged {
  requestId: string;
  providerId: string;
  role: string;
  expiresInHours: number;
  /** The users of the provider who alone are to act; null for all of them. Events of the version before have none. */
  userIds?: string[] | null;
  reason: string;
  /** Null while it is open. */
  decision: 'APPROVED' | 'DECLINED' | 'WITHDRAWN' | null;
  /** The grant that came of it. */
  delegationId: string | null;
  /** Who did what, for the provider's trail; the client's has it by the mutation. */
  cause: { action: string; actor: string; actorTenant: string; clientAddress: string };
}

/** The same, to the provider. */
export interface DelegationRequestReceived {
  requestId: string;
  clientId: string;
}

/** An entry was added to a tenant's audit trail; by these a subscriber says which it wants. */
export interface AuditAppended {
  sequence: number;
  action: string;
  actor: string;
  target: string | null;
  category: 'MUTATION' | 'SECURITY';
  requestId: string;
  /** When it happened. */
  occurredAt: string;
}

/** What an operator has granted holds no longer: the plan that is subscribed to follows. */
export interface PlanGrantEnded {
  tenantId: string;
  /** Of the plan that was in force: a grant with a higher one came later, and holds. */
  version?: number;
}

/** Nobody acts in the tenant from now on: users, nodes and API keys are refused. */
export interface TenantSuspended {
  tenantId: string;
}

/** The tenant is no longer suspended. */
export interface TenantRestored {
  tenantId: string;
}

/** The tenant, which is nobody's client, is suspended and will be erased: nothing is to be charged to it any more. */
export interface TenantClosed {
  tenantId: string;
  eraseAt: string;
}

/** Every area is to copy its part of the tenant into an export. */
export interface OrganizationExportAsked {
  exportId: string;
}

/** Its closing was taken back. It may be suspended all the same. */
export interface TenantReopened {
  tenantId: string;
}

/**
 * Every area is to erase the tenant. Told in the name of its provider, or of the panel where it has none, since the tenant
 * itself has no tomorrow.
 */
export interface TenantErased {
  tenantId: string;
  erasureId: string;
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

/** What a client has, or how it fares, is another figure from now on; told in the provider's name. */
export interface MspClientCounted {
  clientId: string;
}

/** How many users and open invitations a tenant has from now on. */
export interface UsersCounted {
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
    | 'TENANT_SUSPENDED'
    | 'TOO_MANY_SESSIONS';
}
