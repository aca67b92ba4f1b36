import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';

export type MailTokenPurpose =
  | 'PASSWORD_RESET'
  | 'EMAIL_VERIFICATION'
  | 'EMAIL_CHANGE'
  | 'ORGANIZATION_RESTORE';

/** A token that was mailed to a user; only its SHA-256 is kept. */
@Entity({ tableName: 'mail_token' })
export class MailToken {
  @PrimaryKey({ type: 'text' })
  tenantId!: string;

  @PrimaryKey({ type: 'text' })
  tokenHash!: string;

  @Property({ type: 'text' })
  userId!: string;

  @Property({ type: 'text' })
  purpose!: MailTokenPurpose;

  /** Where it was mailed to: it proves this address and no later one. Of an EMAIL_CHANGE the address to be. */
  @Property({ type: 'text' })
  email!: string;

  @Property({ type: 'datetime' })
  createdAt!: Date;

  @Property({ type: 'datetime' })
  expiresAt!: Date;

  @Property({ type: 'datetime', nullable: true })
  usedAt!: Date | null;
}
