import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Directive, Field, ID, ObjectType, registerEnumType } from 'type-graphql';

import { DateTime } from '#platform/subgraph/scalars.js';

export enum UserRole {
  OWNER = 'OWNER',
  ADMIN = 'ADMIN',
  OPERATOR = 'OPERATOR',
  BILLING = 'BILLING',
  VIEWER = 'VIEWER',
}

registerEnumType(UserRole, {
  name: 'Role',
  description: 'What a user may do in the tenant.',
  valuesConfig: {
    OWNER: { description: 'Everything, the tenant itself included.' },
    ADMIN: { description: 'Everything but the tenant itself.' },
    OPERATOR: { description: 'Runs the fleet.' },
    BILLING: { description: 'Sees the fleet, manages what is paid.' },
    VIEWER: { description: 'Sees everything, changes nothing.' },
  },
});

@Entity({ tableName: 'user' })
@ObjectType({ description: 'A person who signs in. A user belongs to one tenant.' })
@Directive('@key(fields: "id")')
export class User {
  @PrimaryKey({ type: 'text' })
  tenantId!: string;

  @Field(() => ID, { description: 'Starts with `usr_`.' })
  @PrimaryKey({ type: 'text' })
  id!: string;

  @Field(() => String, { description: 'The sign-in name; unique across the panel, compared without case.' })
  @Property({ type: 'text' })
  email!: string;

  @Field(() => String, { description: 'The name shown to others.' })
  @Property({ type: 'text' })
  name!: string;

  @Field(() => UserRole, { description: 'What the user may do in the tenant.' })
  @Property({ type: 'text' })
  role!: UserRole;

  /** A PHC string: parameters and salt are in it. */
  @Property({ type: 'text' })
  passwordHash!: string;

  /** The platform administrator's flag: may act on the panel itself, apart from any role. */
  @Property({ type: 'boolean' })
  isAdministrator!: boolean;

  /** When the holder of `email` proved to read it; null after every change of the address. */
  @Property({ type: 'datetime', nullable: true })
  emailVerifiedAt!: Date | null;

  /** When a one-time code was confirmed for the first time; null while TOTP is off. */
  @Property({ type: 'datetime', nullable: true })
  totpConfirmedAt!: Date | null;

  @Field(() => DateTime, { description: 'When the account was made.' })
  @Property({ type: 'datetime' })
  createdAt!: Date;

  @Property({ type: 'datetime' })
  updatedAt!: Date;
}
