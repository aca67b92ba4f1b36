import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import type { JWK } from 'jose';

/** A key pair that signs user tokens. Of the panel, not of a tenant. */
@Entity({ tableName: 'signing_key' })
export class StoredSigningKey {
  @PrimaryKey({ type: 'text' })
  kid!: string;

  @Property({ type: 'text' })
  alg!: 'ES256';

  @Property({ type: 'json' })
  publicJwk!: JWK;

  /** The private JWK, sealed with SECRETS_KEY and bound to the kid. */
  @Property({ type: 'text' })
  sealedPrivateKey!: string;

  @Property({ type: 'datetime' })
  createdAt!: Date;

  /** Published before this moment, so that everyone has it when the first signature comes. */
  @Property({ type: 'datetime' })
  signsFrom!: Date;

  /** Once the last token that it signed has ended; null while it is not replaced. */
  @Property({ type: 'datetime', nullable: true })
  retiresAt!: Date | null;
}
