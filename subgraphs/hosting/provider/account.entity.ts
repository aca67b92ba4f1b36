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

  @Property({ type: 'text' })
  sealedToken!: string;

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
