import type { JSONWebKeySet } from 'jose';

import type { KeySource, TokenVerifier } from '#platform/auth/tokens.js';
import type { Clock } from '#platform/clock.js';
import type { Database, EntityClass } from '#platform/database/database.js';
import type { Logger } from '#platform/logger.js';
import type { Consumer } from '#platform/outbox/consumer.js';
import type { Sweep } from '#platform/membership/sweep.js';
import type { Keyring } from '#platform/secrets/keyring.js';
import { buildSubgraph } from '#platform/subgraph/build.js';
import type { Subgraph } from '#platform/subgraph/subgraph.js';

import { identityPermissions } from './permissions.js';
import { RefreshToken, Session } from './session/session.entity.js';
import { SessionResolver } from './session/session.resolver.js';
import { SessionService } from './session/session.service.js';
import { ensureFirstAdministrator, type FirstAdministrator } from './setup/first-administrator.job.js';
import { SetupResolver } from './setup/setup.resolver.js';
import { SetupService } from './setup/setup.service.js';
import { StoredSigningKey } from './signing-key/signing-key.entity.js';
import { SigningKeyService } from './signing-key/signing-key.service.js';
import { Tenant } from './tenant/tenant.entity.js';
import { TenantResolver } from './tenant/tenant.resolver.js';
import { TenantService } from './tenant/tenant.service.js';
import { User } from './user/user.entity.js';
import { UserResolver } from './user/user.resolver.js';
import { UserService } from './user/user.service.js';

export const identityEntities: readonly EntityClass[] = [
  Tenant,
  User,
  Session,
  RefreshToken,
  StoredSigningKey,
];

export interface IdentityOptions {
  database: Database;
  keyring: Keyring;
  clock: Clock;
  logger: Logger;
  /** The panel's public address: the issuer of its tokens. */
  publicUrl: string;
}

/** The identity subgraph, and what it lends to whoever runs it. */
export interface Identity {
  build(verifier: TokenVerifier): Promise<Subgraph>;
  start(): Promise<void>;
  /** What identity does about other areas' facts. */
  consumers: readonly Consumer[];
  /** Background steps, for the lease holder to run. */
  sweeps: readonly Sweep[];
  publicKeys(): JSONWebKeySet;
  findPublicKey: KeySource;
  /** Answers the one-time set-up link while the panel has no administrator. */
  ensureFirstAdministrator(account: FirstAdministrator): Promise<string | undefined>;
}

export function createIdentity({ database, keyring, clock, logger, publicUrl }: IdentityOptions): Identity {
  const keys = new SigningKeyService(database, keyring, clock);
  const users = new UserService();
  const sessions = new SessionService(keys, publicUrl);
  return {
    consumers: [],
    sweeps: [],
    build: (verifier) =>
      buildSubgraph({
        name: 'identity',
        database,
        clock,
        verifier,
        permissions: identityPermissions,
        resolvers: [
          new UserResolver(users),
          new TenantResolver(new TenantService(), users),
          new SessionResolver(sessions),
          new SetupResolver(new SetupService(sessions)),
        ],
        references: {
          Tenant: ({ id }: { id: string }, { operation }) =>
            id === operation.tenantId ? users.tenant(operation) : null,
          User: ({ id }: { id: string }, { operation }) => users.find(operation, id),
        },
      }),
    start: () => keys.start(),
    publicKeys: () => keys.publicKeys(),
    findPublicKey: (kid) => keys.find(kid),
    ensureFirstAdministrator: (account) =>
      ensureFirstAdministrator({ database, sessions, clock, logger, ...account }),
  };
}
