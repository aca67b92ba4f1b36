import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';

/** A password was right and a one-time code is awaited; only the SHA-256 of the challenge token is kept. */
@Entity({ tableName: 'login_challenge' })
export class LoginChallenge {
  @PrimaryKey({ type: 'text' })
  tenantId!: string;

  @PrimaryKey({ type: 'text' })
  tokenHash!: string;

  @Property({ type: 'text' })
  userId!: string;

  @Property({ type: 'datetime' })
  createdAt!: Date;

  @Property({ type: 'datetime' })
  expiresAt!: Date;

  @Property({ type: 'datetime', nullable: true })
  usedAt!: Date | null;
}
