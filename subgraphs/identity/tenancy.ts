import type { Router } from 'express';

import type { PermissionTable } from '#platform/auth/permissions.js';
import type { TokenVerifier } from '#platform/auth/tokens.js';
import type { Clock } from '#platform/clock.js';
import type { Database, EntityClass } from '#platform/database/database.js';
import { entitlementConsumer } from '#platform/entitlement/entitlement.consumer.js';
import { Entitlements } from '#platform/entitlement/entitlements.js';
import { idempotencySweep } from '#platform/idempotency/expired-keys.job.js';
import type { Logger } from '#platform/logger.js';
import type { MailQueue } from '#platform/mail-queue.js';
import type { Sweep } from '#platform/membership/sweep.js';
import { createOutbound } from '#platform/outbound/outbound.js';
import type { Consumer } from '#platform/outbox/consumer.js';
import type { Keyring } from '#platform/secrets/keyring.js';

import { ApiKey } from './api-key/api-key.entity.js';
import { ApiKeyResolver } from './api-key/api-key.resolver.js';
import { ApiKeyService } from './api-key/api-key.service.js';
import { KeysOfMember } from './api-key/keys-of-member.service.js';
import { AuditEvent } from './audit/audit-event.entity.js';
import { createAuditExportRouter } from './audit/audit-export.router.js';
import { AuditVerifications } from './audit/audit-verification.service.js';
import { auditConsumer, auditRetentionSweep } from './audit/audit.job.js';
import { AuditResolver } from './audit/audit.resolver.js';
import { AuditService } from './audit/audit.service.js';
import { formerActorsSweep } from './audit/former-actors.job.js';
import { BrandingResolver } from './branding/branding.resolver.js';
import { BrandingService } from './branding/branding.service.js';
import { logoLimits } from './branding/logo.js';
import { createLogoRouter } from './branding/logo.router.js';
import { tellClosedSweep } from './closing/closed.job.js';
import { ActingService } from './delegation/acting.service.js';
import {
  DelegationLookupResolver,
  DelegationRequestLookupResolver,
} from './delegation/delegation-lookup.resolver.js';
import { DelegationRequest } from './delegation/delegation-request.entity.js';
import { endedAskers, followRequests } from './delegation/delegation-request.job.js';
import { DelegationRequestResolver } from './delegation/delegation-request.resolver.js';
import { DelegationRequestService } from './delegation/delegation-request.service.js';
import { Delegation } from './delegation/delegation.entity.js';
import { dropFormerUsers, tellProviders } from './delegation/delegation.job.js';
import { DelegationResolver } from './delegation/delegation.resolver.js';
import { DelegationService } from './delegation/delegation.service.js';
import { AccountMail } from './email/account-mail.js';
import { createExportRouter } from './export/export.router.js';
import { OrganizationExport } from './export/organization-export.entity.js';
import { collectCopies, forgetExportsSweep } from './export/organization-export.job.js';
import { OrganizationExportResolver } from './export/organization-export.resolver.js';
import { OrganizationExports } from './export/organization-export.service.js';
import { InvitationMail } from './member/invitation-mail.js';
import { Invitation } from './member/invitation.entity.js';
import { InvitationService } from './member/invitation.service.js';
import { memberCleanupSweep } from './member/member.job.js';
import { MemberResolver } from './member/member.resolver.js';
import { MemberService } from './member/member.service.js';
import { countInstances, followHealth } from './msp/client-health.job.js';
import { MspClient } from './msp/msp-client.entity.js';
import { applyMspClients } from './msp/msp-client.job.js';
import { MspClientResolver } from './msp/msp-client.resolver.js';
import { MspClientService } from './msp/msp-client.service.js';
import { OwnerInvitations } from './msp/owner-invitation.job.js';
import { followProviders } from './msp/provider-standing.job.js';
import { TenantErasure } from './msp/tenant-erasure.entity.js';
import { collectErasures, eraseTenantsSweep, exportRetentionSweep } from './msp/tenant-erasure.job.js';
import { TenantErasureService } from './msp/tenant-erasure.service.js';
import { rawOperations } from './raw-operation.js';
import type { SessionTokens } from './session/session-tokens.js';
import type { SigningKeyService } from './signing-key/signing-key.service.js';
import { followSubscriptions } from './tenant/subscribed-plan.job.js';
import type { UserService } from './user/user.service.js';

export const tenancyEntities: readonly EntityClass[] = [
  AuditEvent,
  Invitation,
  ApiKey,
  MspClient,
  TenantErasure,
  OrganizationExport,
  Delegation,
  DelegationRequest,
];

export interface TenancyOptions {
  database: Database;
  clock: Clock;
  keyring: Keyring;
  mails: MailQueue;
  users: UserService;
  tokens: SessionTokens;
  keys: SigningKeyService;
  /** The permissions of all areas. */
  permissions: PermissionTable;
  publicUrl: string;
  logger: Logger;
  verifier: TokenVerifier;
  /** Where logos may come from beside the public internet. */
  allowPrivateTargets: readonly string[];
  /** All that have something of a tenant to erase. */
  areas: readonly string[];
}

/** The part of identity that is about tenants: who belongs to them, who acts for them, and the proof of it. */
export interface Tenancy {
  resolvers: readonly object[];
  consumers: readonly Consumer[];
  sweeps: readonly Sweep[];
  routers: readonly Router[];
  stop(): Promise<void>;
}

export function createTenancy(options: TenancyOptions): Tenancy {
  const { database, clock, keyring, mails, users, tokens, publicUrl, areas, keys, permissions, verifier } =
    options;
  const entitlements = new Entitlements('identity');
  const mail = new InvitationMail(mails, publicUrl);
  const outbound = createOutbound({
    ...logoLimits,
    allowPrivateTargets: options.allowPrivateTargets,
    logger: options.logger,
  });
  const brandings = new BrandingService(entitlements, outbound, publicUrl);
  const audits = new AuditService();
  const erasures = new TenantErasureService();
  const exports = new OrganizationExports();
  const delegations = new DelegationService(entitlements);
  const requests = new DelegationRequestService(entitlements);
  const operationFor = rawOperations({ database, clock, verifier });
  return {
    resolvers: [
      new AuditResolver(audits, new AuditVerifications(keyring)),
      new MemberResolver(
        new MemberService(new KeysOfMember(permissions), users, new AccountMail(mails, publicUrl)),
        new InvitationService(entitlements, users, tokens, mail),
      ),
      new ApiKeyResolver(new ApiKeyService(permissions, users, keys, publicUrl)),
      new MspClientResolver(new MspClientService(entitlements), erasures),
      new OrganizationExportResolver(exports),
      new BrandingResolver(brandings),
      new DelegationResolver(delegations, new ActingService(entitlements, keys, publicUrl)),
      new DelegationRequestResolver(requests),
      new DelegationLookupResolver(delegations),
      new DelegationRequestLookupResolver(requests),
    ],
    consumers: [
      entitlementConsumer('identity'),
      followSubscriptions,
      followProviders,
      applyMspClients(new OwnerInvitations(entitlements, mail), keyring),
      countInstances,
      followHealth,
      collectErasures(areas),
      collectCopies(areas),
      tellProviders,
      dropFormerUsers,
      followRequests(mails, publicUrl),
      endedAskers,
      // Last: an erased tenant has no trail to append to.
      auditConsumer(keyring),
    ],
    sweeps: [
      auditRetentionSweep(keyring),
      formerActorsSweep,
      memberCleanupSweep,
      eraseTenantsSweep,
      tellClosedSweep,
      exportRetentionSweep,
      forgetExportsSweep,
      idempotencySweep('identity'),
    ],
    routers: [
      createAuditExportRouter(audits, operationFor, verifier),
      createExportRouter(erasures, exports, operationFor, verifier),
      createLogoRouter(brandings, operationFor),
    ],
    stop: () => outbound.close(),
  };
}
