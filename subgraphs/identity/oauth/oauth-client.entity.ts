import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';

/** A node as a client of the panel's OAuth provider: identity's copy of what fleet says of it. client_id is its id. */
@Entity({ tableName: 'oauth_client' })
export class OAuthClient {
  @PrimaryKey({ type: 'text' })
  tenantId!: string;

  @PrimaryKey({ type: 'text' })
  instanceId!: string;

  @Property({ type: 'text' })
  name!: string;

  @Property({ type: 'text' })
  hostname!: string;

  @Property({ type: 'text' })
  baseUrl!: string;

  @Property({ type: 'json' })
  redirectUris!: string[];

  @Property({ type: 'datetime' })
  registeredAt!: Date;

  @Property({ type: 'datetime', nullable: true })
  revokedAt!: Date | null;
}
