import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';

import type { Catalogue } from './driver.js';

/** A tenant's account with a provider. */
@Entity({ tableName: 'provider_account' })
export class ProviderAccount {
  @PrimaryKey({ type: 'text' })
  tenantId!: string;

  @PrimaryKey({ type: 'text' })
  provider!: string;

  @Property({ type: 'text' })
  id!: string;

  /** Null when the access has ended under which it was given. */
  @Property({ type: 'text', nullable: true })
  sealedToken!: string | null;

  /** When the credential was given that it has; null where that was before this was kept. */
  @Property({ type: 'datetime', nullable: true })
  givenAt!: Date | null;

  /** Of the provider's user who gave the credential; null for what the tenant's own people gave. */
  @Property({ type: 'text', nullable: true })
  grantId!: string | null;

  @Property({ type: 'datetime', nullable: true })
  grantEndsAt!: Date | null;

  /** Why the provider refuses the token; null while it does not. */
  @Property({ type: 'text', nullable: true })
  problem!: string | null;

  @Property({ type: 'datetime' })
  connectedAt!: Date;

  @Property({ type: 'datetime' })
  lastCheckedAt!: Date;

  @Property({ type: 'json' })
  catalogue!: Catalogue;

  @Property({ type: 'datetime' })
  catalogueAt!: Date;

  @Property({ type: 'datetime', nullable: true })
  pollAt!: Date | null;

  @Property({ type: 'integer' })
  quietPolls!: number;

  @Property({ type: 'datetime' })
  reconcileAt!: Date;

  @Property({ type: 'integer', nullable: true })
  budgetLimit!: number | null;

  @Property({ type: 'integer', nullable: true })
  budgetLeft!: number | null;

  @Property({ type: 'datetime', nullable: true })
  blockedUntil!: Date | null;
}
