import type { AreaContext, RunningArea } from '#platform/area.js';
import type { EntityClass } from '#platform/database/database.js';
import { Entitlements } from '#platform/entitlement/entitlements.js';
import { MailQueue } from '#platform/mail-queue.js';
import { createMailer } from '#platform/mail.js';
import { buildSubgraph } from '#platform/subgraph/build.js';

import { KeysOfMember } from './api-key/keys-of-member.service.js';
import { expiredSweep } from './cleanup/expired.job.js';
import { ClosingResolver } from './closing/closing.resolver.js';
import { ClosingService } from './closing/closing.service.js';
import { AccountMail } from './email/account-mail.js';
import { createAccountPagesRouter } from './email/account-pages.router.js';
import { EmailChangeService } from './email/email-change.service.js';
import { EmailVerificationService } from './email/email-verification.service.js';
import { EmailResolver } from './email/email.resolver.js';
import { MailToken } from './email/mail-token.entity.js';
import { sendMailJob } from './email/send-mail.job.js';
import type { IdentityEnv } from './env.js';
import { LinkResolver } from './link/link.resolver.js';
import { LinkService } from './link/link.service.js';
import { InvitationMail } from './member/invitation-mail.js';
import { OwnerInvitations } from './msp/owner-invitation.job.js';
import { mailBillingNotices } from './notice/billing-notice.job.js';
import { mailPartnerNotices } from './notice/partner-notice.job.js';
import { Assertions } from './oauth/assertions.js';
import { AuthorizationService } from './oauth/authorization.service.js';
import { createMetadataRouter } from './oauth/metadata.router.js';
import { OAuthClient } from './oauth/oauth-client.entity.js';
import { followClients, registerClients } from './oauth/oauth-client.job.js';
import { IssuedToken, OAuthCode } from './oauth/oauth-code.entity.js';
import { OAuthResolver } from './oauth/oauth.resolver.js';
import { createAuthorizeRouter } from './oauth/page/authorize.router.js';
import { BrowserSessions } from './oauth/page/browser-session.js';
import { TokenService } from './oauth/token.service.js';
import { UserInfoService } from './oauth/user-info.service.js';
import { offerResetJob } from './password/password-reset.job.js';
import { PasswordResolver } from './password/password.resolver.js';
import { PasswordService } from './password/password.service.js';
import { identityPermissions } from './permissions.js';
import { RegistrationState } from './registration/registration-state.js';
import { RegistrationResolver } from './registration/registration.resolver.js';
import { RegistrationService } from './registration/registration.service.js';
import { Credentials } from './session/credentials.js';
import { failedSignInJob } from './session/failed-sign-in.job.js';
import { LoginChallenge } from './session/login-challenge.entity.js';
import { LoginService } from './session/login.service.js';
import { RefreshService } from './session/refresh.service.js';
import { SessionTokens } from './session/session-tokens.js';
import { RefreshToken, Session } from './session/session.entity.js';
import { SessionResolver } from './session/session.resolver.js';
import { SessionService } from './session/session.service.js';
import { ensureFirstAdministrator } from './setup/first-administrator.job.js';
import { SetupResolver } from './setup/setup.resolver.js';
import { createSetupRouter } from './setup/setup.router.js';
import { SetupService } from './setup/setup.service.js';
import { createJwksRouter } from './signing-key/jwks.router.js';
import { StoredSigningKey } from './signing-key/signing-key.entity.js';
import { SigningKeyService } from './signing-key/signing-key.service.js';
import { createTenancy, tenancyEntities } from './tenancy.js';
import { InvitedTenants } from './tenant/invited-tenant.service.js';
import { SuspensionService } from './tenant/suspension.service.js';
import { TenantSearch } from './tenant/tenant-search.service.js';
import { Tenant } from './tenant/tenant.entity.js';
import { TenantResolver } from './tenant/tenant.resolver.js';
import { TenantService } from './tenant/tenant.service.js';
import { advanceIdentity } from './test-clock/test-clock.job.js';
import { SecondFactorReset } from './totp/second-factor-reset.service.js';
import { TotpCodes } from './totp/totp-codes.js';
import { TotpSignIn } from './totp/totp-sign-in.js';
import { RecoveryCode, TotpSecret } from './totp/totp.entity.js';
import { TotpResolver } from './totp/totp.resolver.js';
import { TotpService } from './totp/totp.service.js';
import { userCountSweep } from './usage/usage.job.js';
import { UserUsageReference } from './usage/user-usage.reference.js';
import { UserUsageResolver } from './usage/user-usage.resolver.js';
import { ProfileService } from './user/profile.service.js';
import { User } from './user/user.entity.js';
import { UserResolver } from './user/user.resolver.js';
import { UserService } from './user/user.service.js';

export const identityEntities: readonly EntityClass[] = [
  Tenant,
  User,
  Session,
  RefreshToken,
  LoginChallenge,
  MailToken,
  TotpSecret,
  RecoveryCode,
  StoredSigningKey,
  OAuthClient,
  OAuthCode,
  IssuedToken,
  ...tenancyEntities,
];

/** The identity subgraph, wired by hand. */
export function createIdentity(context: AreaContext<IdentityEnv>): RunningArea {
  const { database, keyring, clock, logger, publicUrl, settings: env, metrics, verifier } = context;
  if (!env.SMTP_URL && !env.MAIL_LOG) {
    logger.warn(
      'SMTP_URL is not set: no mail is sent, so nobody can confirm an address, reset a password or take an invitation. ' +
        'MAIL_LOG=true prints mails here instead, with their one-time links',
    );
  }
  const mailer = createMailer({
    smtpUrl: env.SMTP_URL,
    isLogged: env.MAIL_LOG,
    from: env.MAIL_FROM,
    logger,
    metrics,
  });
  const mails = new MailQueue('identity.mail.send', keyring);
  const mail = new AccountMail(mails, publicUrl);

  const keys = new SigningKeyService(database, keyring, clock, logger);
  const tokens = new SessionTokens(keys, publicUrl);
  const codes = new TotpCodes(keyring, mail);
  const users = new UserService();
  const logins = new LoginService(new Credentials(), codes, tokens);
  const totp = new TotpService(users, codes, keyring, mail);
  const emails = new EmailChangeService(mail);
  const registration = env.REGISTRATION === 'open' ? RegistrationState.OPEN : RegistrationState.CLOSED;
  const registrations = new RegistrationService(tokens, mail, keyring, registration);
  const sessions = new SessionService();
  const authorizations = new AuthorizationService(users, keyring, publicUrl);
  const assertions = new Assertions(keys, publicUrl);
  const browsers = new BrowserSessions(keyring, publicUrl);
  const entitlements = new Entitlements('identity');
  const owners = new OwnerInvitations(entitlements, new InvitationMail(mails, publicUrl));
  const isSuspended = (tenantId: string) => verifier.isSuspended(tenantId);

  const tenancy = createTenancy({
    database,
    clock,
    keyring,
    mails,
    users,
    tokens,
    publicUrl,
    logger,
    allowPrivateTargets: env.ALLOW_PRIVATE_TARGETS,
    areas: context.panel.areas,
    keys,
    permissions: context.panel.permissions,
    verifier,
  });

  return {
    consumers: [
      registerClients,
      followClients,
      mailBillingNotices(mails, publicUrl),
      mailPartnerNotices(mails, publicUrl),
      advanceIdentity,
      ...tenancy.consumers,
    ],
    sweeps: [expiredSweep, userCountSweep, ...tenancy.sweeps],
    jobs: [sendMailJob(mails, mailer), offerResetJob(mail), failedSignInJob],
    build: () =>
      buildSubgraph({
        name: 'identity',
        database,
        clock,
        verifier,
        permissions: identityPermissions,
        streams: context.streams,
        resolvers: [
          new UserResolver(users, new ProfileService(users, emails), emails, totp, context.panel.permissions),
          new TenantResolver(
            new TenantService(entitlements),
            users,
            new SuspensionService(),
            new TenantSearch(),
            new InvitedTenants(owners, keyring),
          ),
          new ClosingResolver(new ClosingService(totp, mail)),
          new UserUsageResolver(),
          new RegistrationResolver(registrations),
          new SessionResolver(
            logins,
            new RefreshService(tokens, keyring, env.REFRESH_GRACE_SECONDS),
            sessions,
          ),
          new PasswordResolver(new PasswordService(users, mail, new KeysOfMember(context.panel.permissions))),
          new EmailResolver(new EmailVerificationService(mail), emails),
          new LinkResolver(new LinkService()),
          new TotpResolver(totp, new TotpSignIn(totp, logins, tokens), new SecondFactorReset(users, mail)),
          new OAuthResolver(authorizations, new TokenService(assertions), new UserInfoService(assertions)),
          new SetupResolver(new SetupService(registrations)),
          ...tenancy.resolvers,
        ],
        orphanedTypes: [UserUsageReference],
        references: {
          Tenant: {
            permission: 'identity.tenant.read',
            resolve: ({ id }: { id: string }, { operation }) =>
              id === operation.tenantId ? users.tenant(operation) : null,
          },
          UserUsage: {
            permission: null,
            resolve: ({ tenantId }: { tenantId: string }, { operation }) =>
              tenantId === operation.tenantId ? { tenantId } : null,
          },
          User: {
            permission: 'identity.member.read',
            resolve: ({ id }: { id: string }, { operation }) => users.find(operation, id),
          },
        },
      }),
    start: () => keys.start(),
    stop: async () => {
      keys.stop();
      await tenancy.stop();
    },
    routers: [
      createJwksRouter(keys),
      createSetupRouter(),
      createAccountPagesRouter(registration),
      createMetadataRouter(publicUrl),
      createAuthorizeRouter({
        database,
        clock,
        logger,
        authorizations,
        logins,
        tokens,
        sessions,
        browsers,
        isSuspended,
      }),
      ...tenancy.routers,
    ],
    userKeys: (kid) => keys.find(kid),
    setupLink: () =>
      ensureFirstAdministrator({
        database,
        registrations,
        clock,
        logger,
        publicUrl,
        email: env.ADMIN_EMAIL,
        password: env.ADMIN_PASSWORD,
      }),
  };
}
