import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Field, ID, ObjectType } from 'type-graphql';

import { pageOf } from '#platform/subgraph/paging.js';
import { DateTime } from '#platform/subgraph/scalars.js';

@Entity({ tableName: 'api_key' })
@ObjectType({ description: 'A secret by which a program acts in the tenant. Only its SHA-256 is kept.' })
export class ApiKey {
  @PrimaryKey({ type: 'text' })
  tenantId!: string;

  @Field(() => ID, { description: 'Starts with `apk_`.' })
  @PrimaryKey({ type: 'text' })
  id!: string;

  @Field(() => String, { description: 'What the key is for.' })
  @Property({ type: 'text' })
  name!: string;

  @Field(() => String, { description: 'How the key starts, to tell keys apart.' })
  @Property({ type: 'text' })
  prefix!: string;

  @Property({ type: 'text' })
  secretHash!: string;

  @Field(() => [String], { description: 'All that it may do; never more than who made it was allowed.' })
  @Property({ type: 'array' })
  permissions!: string[];

  @Field(() => ID, { description: 'The user who made it.' })
  @Property({ type: 'text' })
  createdBy!: string;

  @Field(() => DateTime, { description: 'When it was made.' })
  @Property({ type: 'datetime' })
  createdAt!: Date;

  @Field(() => DateTime, { description: 'When it stops working.' })
  @Property({ type: 'datetime' })
  expiresAt!: Date;

  @Field(() => DateTime, {
    nullable: true,
    description: 'When it was last used, to the minute; null when never.',
  })
  @Property({ type: 'datetime', nullable: true })
  lastUsedAt!: Date | null;

  @Field(() => DateTime, { nullable: true, description: 'When it was revoked; null while it was not.' })
  @Property({ type: 'datetime', nullable: true })
  revokedAt!: Date | null;
}

@ObjectType({ description: 'One page of API keys.' })
export class ApiKeyPage extends pageOf(ApiKey, 'ApiKey') {}
