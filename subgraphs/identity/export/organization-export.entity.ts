import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Field, ID, ObjectType } from 'type-graphql';

import { DateTime, JsonObject } from '#platform/subgraph/scalars.js';

@Entity({ tableName: 'organization_export' })
@ObjectType({
  description: 'All that an organization has, as it was within the minutes in which it was copied.',
})
export class OrganizationExport {
  @PrimaryKey({ type: 'text' })
  tenantId!: string;

  @Field(() => ID, {
    description:
      'Starts with `exp_`. Once it is complete the export is at GET /account/exports/{id}: JSON lines of `{area, table, row}`, ' +
      'without passwords, tokens and other secrets.',
  })
  @PrimaryKey({ type: 'text' })
  id!: string;

  @Field(() => DateTime, { description: 'When it was asked for.' })
  @Property({ type: 'datetime' })
  startedAt!: Date;

  @Field(() => DateTime, {
    nullable: true,
    description: 'When every area had copied its part; null until then.',
  })
  @Property({ type: 'datetime', nullable: true })
  completedAt!: Date | null;

  @Field(() => DateTime, {
    description: 'Until when it can be fetched: 7 days, unless a newer one takes its place.',
  })
  @Property({ type: 'datetime' })
  expiresAt!: Date;

  @Field(() => JsonObject, { description: 'How many rows are in it: area, then table, then count.' })
  @Property({ type: 'json' })
  report!: Record<string, Record<string, number>>;

  @Field(() => Boolean, {
    description: 'Whether some area had more than it copies, some 256 MiB: what is beyond is not in it.',
  })
  @Property({ type: 'boolean' })
  isCut!: boolean;
}
