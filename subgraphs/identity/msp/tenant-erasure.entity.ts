import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Field, ID, ObjectType } from 'type-graphql';

import { pageOf } from '#platform/subgraph/paging.js';
import { DateTime, JsonObject } from '#platform/subgraph/scalars.js';

/**
 * Whose the erasures are of tenants that were nobody's clients: what is kept of them must be no tenant's, or it would go
 * with that. Only the panel's administrators are shown what it has.
 */
export const panelsOwn = 'panel';

@Entity({ tableName: 'tenant_erasure' })
@ObjectType({
  description: 'What became of a client that was deleted, or of an organization that was closed.',
})
export class TenantErasure {
  @PrimaryKey({ type: 'text' })
  tenantId!: string;

  @Field(() => ID, { description: 'Starts with `ers_`. The export of a client is at GET /msp/exports/{id}.' })
  @PrimaryKey({ type: 'text' })
  id!: string;

  @Field(() => ID, { description: 'The id that the client or organization had.' })
  @Property({ type: 'text' })
  clientId!: string;

  @Field(() => String, { description: 'The name that it had.' })
  @Property({ type: 'text' })
  clientName!: string;

  @Field(() => DateTime, { description: 'When erasing began.' })
  @Property({ type: 'datetime' })
  startedAt!: Date;

  @Field(() => DateTime, {
    nullable: true,
    description: 'When every area had erased its part; null until then.',
  })
  @Property({ type: 'datetime', nullable: true })
  completedAt!: Date | null;

  @Field(() => JsonObject, { description: 'How many rows were erased: area, then table, then count.' })
  @Property({ type: 'json' })
  report!: Record<string, Record<string, number>>;
}

@ObjectType({ description: 'One page of erasures.' })
export class TenantErasurePage extends pageOf(TenantErasure, 'TenantErasure') {}
