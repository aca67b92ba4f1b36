import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';

/** A user's secret for one-time codes (RFC 6238); in force once `user.totpConfirmedAt` is set. */
@Entity({ tableName: 'totp_secret' })
export class TotpSecret {
  @PrimaryKey({ type: 'text' })
  tenantId!: string;

  @PrimaryKey({ type: 'text' })
  userId!: string;

  /** Base32, sealed with SECRETS_KEY and bound to the user's id. */
  @Property({ type: 'text' })
  sealedSecret!: string;

  /** The newest 30 s step whose code was accepted; no code of it or an earlier one is accepted again. */
  @Property({ type: 'integer' })
  lastUsedStep!: number;

  @Property({ type: 'datetime' })
  createdAt!: Date;
}

/** One of the codes that stand in for a lost authenticator; works once. */
@Entity({ tableName: 'recovery_code' })
export class RecoveryCode {
  @PrimaryKey({ type: 'text' })
  tenantId!: string;

  @PrimaryKey({ type: 'text' })
  userId!: string;

  @PrimaryKey({ type: 'text' })
  codeHash!: string;

  @Property({ type: 'datetime', nullable: true })
  usedAt!: Date | null;
}
