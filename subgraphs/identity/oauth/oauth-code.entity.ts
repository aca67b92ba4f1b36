import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';

/** An authorization code (RFC 6749, section 4.1.2), bound to client, redirect URI and challenge; only its SHA-256. */
@Entity({ tableName: 'oauth_codes' })
export class OAuthCode {
  @PrimaryKey({ type: 'text' })
  tenantId!: string;

  @PrimaryKey({ type: 'text' })
  codeHash!: string;

  /** Of the consent that it was made for; unique, so that one consent gives one code. */
  @Property({ type: 'text' })
  consentHash!: string;

  @Property({ type: 'text' })
  instanceId!: string;

  @Property({ type: 'text' })
  userId!: string;

  @Property({ type: 'text' })
  sessionId!: string;

  @Property({ type: 'text' })
  redirectUri!: string;

  @Property({ type: 'text' })
  codeChallenge!: string;

  @Property({ type: 'text', nullable: true })
  nonce!: string | null;

  @Property({ type: 'datetime' })
  createdAt!: Date;

  @Property({ type: 'datetime' })
  expiresAt!: Date;

  @Property({ type: 'datetime', nullable: true })
  consumedAt!: Date | null;

  @Property({ type: 'datetime', nullable: true })
  replayedAt!: Date | null;
}

/** A token that was issued for a code, so that a replay of the code can revoke it. */
@Entity({ tableName: 'oauth_issued' })
export class IssuedToken {
  @PrimaryKey({ type: 'text' })
  tenantId!: string;

  /** The `jti` claim. */
  @PrimaryKey({ type: 'text' })
  jti!: string;

  @Property({ type: 'text' })
  kind!: 'ACCESS_TOKEN' | 'ID_TOKEN';

  @Property({ type: 'text' })
  codeHash!: string;

  @Property({ type: 'text' })
  instanceId!: string;

  @Property({ type: 'text' })
  userId!: string;

  @Property({ type: 'text' })
  sessionId!: string;

  @Property({ type: 'datetime' })
  issuedAt!: Date;

  @Property({ type: 'datetime' })
  expiresAt!: Date;

  @Property({ type: 'datetime', nullable: true })
  revokedAt!: Date | null;
}
