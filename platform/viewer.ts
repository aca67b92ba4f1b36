/** The roles of a user in a tenant, strongest first. */
export const roles = ['owner', 'admin', 'operator', 'billing', 'viewer'] as const;
export type Role = (typeof roles)[number];

interface ViewerBase {
  tenantId: string;
  /** Closed list carried by the token itself; absent when the role decides. */
  permissions?: readonly string[];
  /** Seconds since the epoch at which the token ends. */
  expiresAt: number;
}

export interface UserViewer extends ViewerBase {
  kind: 'user';
  userId: string;
  sessionId: string;
  role: Role;
  /** The platform administrator's flag: may act on the panel itself. */
  isAdministrator: boolean;
}

/** A Cloud OS node with its own credential. It may only report about itself. */
export interface NodeViewer extends ViewerBase {
  kind: 'node';
  instanceId: string;
  /** Rotating or revoking a credential raises the instance's generation; an older one is refused. */
  generation: number;
  /** Seconds since the epoch at which the credential itself ends; `expiresAt` adds the days of grace for its renewal. */
  credentialExpiresAt: number;
}

/** One of the panel's own areas, acting for a tenant through the gateway. */
export interface ServiceViewer extends ViewerBase {
  kind: 'service';
  service: string;
  permissions: readonly string[];
}

/** A program of a tenant, by an API key with a closed list of permissions. */
export interface ApiKeyViewer extends ViewerBase {
  kind: 'api-key';
  keyId: string;
  permissions: readonly string[];
  /** Seconds since the epoch at which the key itself ends; `expiresAt` is that of the token it was exchanged for. */
  keyExpiresAt: number;
}

/** A user of a provider who acts in a client's tenant, under a grant of the client. */
export interface DelegateViewer extends ViewerBase {
  kind: 'delegate';
  /** The user, and the tenant they belong to. */
  actorId: string;
  actorTenantId: string;
  /** The user's own session: with it ends what they do elsewhere. */
  sessionId: string;
  grantId: string;
  role: Role;
  /** Seconds since the epoch at which the grant ends. */
  grantExpiresAt: number;
}

/** Who is calling, from a verified token; never from a header or an argument that a client can set. */
export type Viewer = UserViewer | NodeViewer | ServiceViewer | ApiKeyViewer | DelegateViewer;

/** The id that audit rows and logs name. */
export function viewerId(viewer: Viewer): string {
  switch (viewer.kind) {
    case 'user':
      return viewer.userId;
    case 'node':
      return viewer.instanceId;
    case 'service':
      return `svc:${viewer.service}`;
    case 'api-key':
      return viewer.keyId;
    case 'delegate':
      return viewer.actorId;
  }
}
