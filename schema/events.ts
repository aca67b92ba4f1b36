import type {
  EntitlementGranted,
  InvoicePaid,
  InvoiceRefunded,
  NoticeRaised,
  PartnerChanged,
  PlanDecided,
  SubscriptionChanged,
  TestClockAdvanced,
} from './events/billing.js';
import type {
  AlertChanged,
  CommandOffered,
  CommandProgressed,
  CredentialOffered,
  CredentialRevoked,
  FactsChanged,
  GroupChanged,
  HealthCounted,
  InstanceChanged,
  InstanceDecommissioned,
  InstanceEnrolled,
  InstanceUpdated,
  InstancesCounted,
  MetricsMeasured,
  SilenceChanged,
} from './events/fleet.js';
import type {
  CanaryProgressed,
  GitOpsChanged,
  GitOpsRemoved,
  OverallScoreChanged,
  PolicyChanged,
  RemediationChanged,
  ScoreChanged,
  ViolationChanged,
} from './events/governance.js';
import type {
  ClusterChanged,
  ClusterFactsChanged,
  DeploymentChanged,
  HaChanged,
  PlacementChanged,
  ServerChanged,
} from './events/hosting.js';
import type {
  AccountReclaimed,
  ApiKeyRevoked,
  AuditAppended,
  BrandingChanged,
  DelegationChanged,
  DelegationReceived,
  DelegationRequestChanged,
  DelegationRequestReceived,
  MemberChanged,
  MspClientChanged,
  MspClientCounted,
  OrganizationExportAsked,
  PlanGrantEnded,
  SessionRevoked,
  TenantClosed,
  TenantCreated,
  TenantErased,
  TenantRenamed,
  TenantReopened,
  TenantRestored,
  TenantSuspended,
  UsersCounted,
} from './events/identity.js';
import type {
  AreaCopied,
  AreaErased,
  RowsCopied,
  RowsExported,
  SecurityRecorded,
  UsageMeasured,
} from './events/shared.js';

export type * from './events/billing.js';
export type * from './events/fleet.js';
export type * from './events/governance.js';
export type * from './events/hosting.js';
export type * from './events/identity.js';
export type * from './events/shared.js';

/**
 * The published language between subgraphs: each event's topic and what its payload holds. Types only. How to read a
 * topic: `area.noun.past-participle`.
 */
export interface Events {
  'billing.entitlement.granted': EntitlementGranted;
  'billing.plan.decided': PlanDecided;
  'billing.subscription.changed': SubscriptionChanged;
  'billing.notice.raised': NoticeRaised;
  'billing.partner.changed': PartnerChanged;
  'billing.partner.announced': PartnerChanged;
  'billing.invoice.paid': InvoicePaid;
  'billing.invoice.refunded': InvoiceRefunded;
  'billing.test-clock.advanced': TestClockAdvanced;
  'fleet.usage.measured': UsageMeasured;
  'identity.usage.measured': UsageMeasured;
  'identity.tenant.created': TenantCreated;
  'identity.tenant.renamed': TenantRenamed;
  'identity.branding.changed': BrandingChanged;
  'identity.member.changed': MemberChanged;
  'identity.account.reclaimed': AccountReclaimed;
  'identity.session.revoked': SessionRevoked;
  'identity.api-key.revoked': ApiKeyRevoked;
  'identity.delegation.granted': DelegationChanged;
  'identity.delegation.used': DelegationChanged;
  'identity.delegation.limited': DelegationChanged;
  'identity.delegation.ended': DelegationChanged;
  'identity.delegation.received': DelegationReceived;
  'identity.delegation-request.changed': DelegationRequestChanged;
  'identity.delegation-request.repeated': DelegationRequestChanged;
  'identity.delegation-request.received': DelegationRequestReceived;
  'identity.audit.appended': AuditAppended;
  'identity.tenant.plan-grant-ended': PlanGrantEnded;
  'identity.tenant.suspended': TenantSuspended;
  'identity.tenant.restored': TenantRestored;
  'identity.tenant.closed': TenantClosed;
  'identity.tenant.reopened': TenantReopened;
  'identity.tenant.erased': TenantErased;
  'identity.msp-client.changed': MspClientChanged;
  'identity.msp-client.counted': MspClientCounted;
  'identity.organization-export.asked': OrganizationExportAsked;
  'export.rows.copied': RowsCopied;
  'export.area.completed': AreaCopied;
  'erasure.rows.exported': RowsExported;
  'erasure.area.completed': AreaErased;
  'identity.users.counted': UsersCounted;
  'fleet.instances.counted': InstancesCounted;
  'fleet.health.counted': HealthCounted;
  'audit.security.recorded': SecurityRecorded;
  'fleet.instance.enrolled': InstanceEnrolled;
  'fleet.instance.changed': InstanceChanged;
  'fleet.alert.changed': AlertChanged;
  'fleet.silence.changed': SilenceChanged;
  'fleet.instance.updated': InstanceUpdated;
  'fleet.instance.decommissioned': InstanceDecommissioned;
  'fleet.credential.offered': CredentialOffered;
  'fleet.credential.revoked': CredentialRevoked;
  'fleet.command.offered': CommandOffered;
  'fleet.command.progressed': CommandProgressed;
  'fleet.facts.changed': FactsChanged;
  'fleet.group.changed': GroupChanged;
  'fleet.metrics.measured': MetricsMeasured;
  'governance.score.changed': ScoreChanged;
  'governance.overall-score.changed': OverallScoreChanged;
  'governance.violation.changed': ViolationChanged;
  'governance.policy.changed': PolicyChanged;
  'governance.canary.progressed': CanaryProgressed;
  'governance.gitops.changed': GitOpsChanged;
  'governance.gitops.removed': GitOpsRemoved;
  'governance.remediation.changed': RemediationChanged;
  'hosting.server.changed': ServerChanged;
  'hosting.cluster.changed': ClusterChanged;
  'hosting.cluster.facts-changed': ClusterFactsChanged;
  'hosting.deployment.changed': DeploymentChanged;
  'hosting.placement.changed': PlacementChanged;
  'hosting.ha.changed': HaChanged;
}
