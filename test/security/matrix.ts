import type { GraphQLSchema } from 'graphql';

import type { Finding } from './findings.js';
import { rootFields } from './operations.js';

/**
 * Everyone who may come: users in each role of the tenant, a viewer with the platform administrator's flag, a node, one
 * of the panel's own services that holds the operation's permission, one that holds every other permission, the holder
 * of an OAuth access token (which is good for `userInfo` only), and somebody without a token.
 */
export const callers = [
  'owner',
  'admin',
  'operator',
  'billing',
  'viewer',
  'administrator',
  'node',
  'service',
  'other service',
  'oauth',
  'anonymous',
] as const;
export type Caller = (typeof callers)[number];

/** Who may call one operation. */
export interface Access {
  /** What a service has to hold; absent where no permission decides. */
  permission?: string;
  callers: readonly Caller[];
  /** The code of a refusal, where it is the same for everybody. */
  refusal?: 'UNAUTHENTICATED';
  /** A secret in the arguments decides: the reason with which a wrong one is refused. */
  wrongSecret?: string;
  /** What someone who names another tenant's things is answered, where it is not NOT_FOUND: a code or its reason. */
  foreign?: string;
  /** Who may do it to any tenant, by naming it: nobody but the platform's own. */
  acrossTenants?: readonly Caller[];
  /** It tells of the whole panel: nothing in it is a tenant's, and its events are none's. */
  ofPanel?: true;
  /** The service writes as the jobs role: row-level security does not stand behind it (see decision 4). */
  asJobs?: true;
}

/** A `#word` after the name is another way to call the same operation; see `variants` in arguments.ts. */
export type Matrix = Readonly<Record<string, Access>>;

const users = ['owner', 'admin', 'operator', 'billing', 'viewer', 'administrator'] as const;
const readers = [...users, 'service'] as const;
const managers = ['owner', 'admin'] as const;
const payers = ['owner', 'admin', 'billing', 'service'] as const;
const operators = ['owner', 'admin', 'operator', 'service'] as const;

const may = (permission: string, who: readonly Caller[], more: Partial<Access> = {}): Access => ({
  permission,
  callers: who,
  ...more,
});
const everyone: Access = { callers };
const withSecret = (wrongSecret: string): Access => ({ callers, wrongSecret });

/** Who may call what. Written by hand, so that a change of permissions shows here. One row per operation. */
// oxfmt-ignore
export const matrix: Matrix = {
  // Accounts and sessions
  'Mutation.register':                  everyone,
  'Mutation.completeSetup':             withSecret('SETUP_LINK_INVALID'),
  'Mutation.login':                     withSecret('WRONG_CREDENTIALS'),
  'Mutation.refreshSession':            withSecret('REFRESH_TOKEN_INVALID'),
  'Mutation.verifyEmail':               withSecret('MAIL_TOKEN_INVALID'),
  'Mutation.requestPasswordReset':      { callers, asJobs: true },
  'Mutation.resetPassword':             withSecret('MAIL_TOKEN_INVALID'),
  'Query.me':                           may('identity.user.read', users),
  'Query.permissions':                  may('identity.user.read', readers),
  'Query.sessions':                     may('identity.account.read', users),
  'Mutation.updateProfile':             may('identity.account.manage', users),
  'Mutation.changePassword':            may('identity.account.manage', users),
  'Mutation.confirmEmailChange':        withSecret('MAIL_TOKEN_INVALID'),
  'Mutation.cancelEmailChange':         may('identity.account.manage', users),
  'Mutation.sendEmailVerification':     may('identity.account.manage', users),
  'Mutation.revokeSession':             may('identity.account.manage', users),
  'Mutation.logout':                    may('identity.account.manage', users),
  'Mutation.enableTotp':                may('identity.account.manage', users),
  'Mutation.verifyTotp':                may('identity.account.manage', users),
  'Mutation.verifyTotp#challenge':      withSecret('CHALLENGE_INVALID'),
  'Mutation.disableTotp':               may('identity.account.manage', users),
  'Mutation.resetSecondFactor':         may('identity.second-factor.reset', [...managers, 'administrator']),
  'Query.linkState':                    everyone,

  // The tenant
  'Query.tenant':                       may('identity.tenant.read', [...readers, 'node']),
  'Query.tenants':                      may('identity.tenant.list', ['administrator'], { acrossTenants: ['administrator'] }),
  'Mutation.grantPlan':                 may('identity.plan.grant', ['administrator', 'service'], { acrossTenants: ['administrator'] }),

  'Mutation.suspendTenant':             may('identity.tenant.suspend', ['administrator'], { acrossTenants: ['administrator'] }),
  'Mutation.restoreTenant':             may('identity.tenant.suspend', ['administrator'], { acrossTenants: ['administrator'] }),

  'Query.auditEvents':                  may('identity.audit.read', [...managers, 'service']),
  'Query.verifyAudit':                  may('identity.audit.read', [...managers, 'service']),

  'Query.branding':                     may('identity.branding.read', readers),
  'Mutation.updateBranding':            may('identity.branding.manage', [...managers, 'service']),
  'Query.members':                      may('identity.member.read', readers),
  'Query.invitations':                  may('identity.member.manage', [...managers, 'service']),
  'Mutation.inviteMember':              may('identity.member.manage', managers),
  'Mutation.revokeInvitation':          may('identity.member.manage', managers),
  'Mutation.acceptInvitation':          withSecret('INVITATION_INVALID'),
  'Mutation.changeMemberRole':          may('identity.member.manage', managers),
  'Mutation.removeMember':              may('identity.member.manage', managers),

  // Tenants that it manages
  'Query.mspClients':                   may('identity.msp.read', readers),
  'Query.mspClient':                    may('identity.msp.read', readers),
  'Query.tenantErasures':               may('identity.msp.read', readers),
  'Mutation.createMspClient':           may('identity.msp.manage', [...managers, 'service']),
  'Mutation.updateMspClient':           may('identity.msp.manage', [...managers, 'service']),
  'Mutation.suspendMspClient':          may('identity.msp.manage', [...managers, 'service']),
  'Mutation.restoreMspClient':          may('identity.msp.manage', [...managers, 'service']),
  'Mutation.deleteMspClient':           may('identity.msp.manage', [...managers, 'service']),

  // Access that a client grants to the tenant that manages it
  'Query.delegations':                  may('identity.delegation.read', [...managers, 'service']),
  'Query.delegationsReceived':          may('identity.delegation.use', operators),
  'Subscription.delegationChanged':     may('identity.delegation.read', [...managers, 'service']),
  'Mutation.grantDelegation':           may('identity.delegation.manage', ['owner']),
  'Mutation.revokeDelegation':          may('identity.delegation.manage', ['owner']),
  'Mutation.actInTenant':               may('identity.delegation.use', ['owner', 'admin', 'operator']),

  // API keys
  'Query.apiKeys':                      may('identity.api-key.manage', [...managers, 'service']),
  'Query.apiKeyPermissions':            may('identity.api-key.manage', [...managers, 'service']),
  'Mutation.createApiKey':              may('identity.api-key.manage', managers),
  'Mutation.revokeApiKey':              may('identity.api-key.manage', managers),
  'Mutation.exchangeApiKey':            may('identity.api-key.exchange', ['service'], { wrongSecret: 'API_KEY_INVALID' }),

  // The OAuth provider
  'Query.authorizationPreflight':       may('identity.oauth.authorize', users, { foreign: 'UNKNOWN_CLIENT' }),
  'Mutation.decideAuthorization':       may('identity.oauth.authorize', users, { foreign: 'CONSENT_INVALID' }),
  'Mutation.exchangeAuthorizationCode': { callers, foreign: 'INVALID_GRANT' },
  'Query.userInfo':                     { callers: ['oauth'], refusal: 'UNAUTHENTICATED' },

  // What plans there are
  'Query.packages':                     may('billing.package.read', readers),
  'Query.subscription':                 may('billing.subscription.read', readers),
  'Query.usage':                        may('billing.usage.read', readers),
  'Query.invoices':                     may('billing.invoice.read', payers),
  'Query.previewPlanChange':            may('billing.subscription.manage', payers),
  'Mutation.changeSubscription':        may('billing.subscription.manage', payers),
  'Mutation.cancelSubscription':        may('billing.subscription.manage', payers),
  'Mutation.resumeSubscription':        may('billing.subscription.manage', payers),
  'Mutation.createCheckoutSession':     may('billing.subscription.manage', payers),
  'Mutation.createPortalSession':       may('billing.subscription.manage', payers),
  'Subscription.subscriptionChanged':   may('billing.subscription.read', readers),
  'Query.licences':                     may('billing.licence.read', readers),
  'Query.validateLicence':              may('billing.licence.read', readers),
  'Query.partnerTiers':                 may('billing.partner.read', readers),
  // Only identity knows administrators in the database: of what they see here it believes the token.
  'Query.partners':                     may('billing.partner.read', readers, { acrossTenants: ['administrator'], asJobs: true }),
  'Query.partner':                      may('billing.partner.read', readers, { acrossTenants: ['administrator'] }),
  'Query.partnerTierChanges':           may('billing.partner.read', readers, { acrossTenants: ['administrator'] }),
  'Query.commissions':                  may('billing.commission.read', [...payers, 'administrator'], { acrossTenants: ['administrator'] }),
  'Mutation.registerPartner':           may('billing.partner.manage', [...managers, 'service']),
  'Mutation.updatePartner':             may('billing.partner.manage', [...managers, 'service']),
  'Mutation.approvePartner':            may('billing.partner.decide', ['administrator'], { acrossTenants: ['administrator'] }),
  'Mutation.rejectPartner':             may('billing.partner.decide', ['administrator'], { acrossTenants: ['administrator'] }),
  'Mutation.suspendPartner':            may('billing.partner.decide', ['administrator'], { acrossTenants: ['administrator'] }),
  'Query.ownLicence':                   may('billing.licence.receive', ['node']),
  'Query.testClock':                    may('billing.test-clock.read', readers),
  'Mutation.advanceTestClock':          may('billing.test-clock.advance', [...managers, 'service']),

  // Governance
  'Query.factKinds':                    may('governance.policy.read', readers),
  'Query.policies':                     may('governance.policy.read', readers),
  'Query.policy':                       may('governance.policy.read', readers),
  'Query.policyHistory':                may('governance.policy.read', readers),
  'Query.policyResults':                may('governance.policy.read', readers),
  'Query.policyExemptions':             may('governance.policy.read', readers),
  'Query.policyPacks':                  may('governance.policy.read', readers),
  'Query.previewPolicy':                may('governance.policy.read', readers, { foreign: 'VALIDATION_FAILED' }),
  'Mutation.createPolicy':              may('governance.policy.manage', [...managers, 'service']),
  'Mutation.updatePolicy':              may('governance.policy.manage', [...managers, 'service']),
  'Mutation.deletePolicy':              may('governance.policy.manage', [...managers, 'service']),
  'Mutation.installPolicyPack':         may('governance.policy.manage', [...managers, 'service']),
  'Mutation.createPolicyExemption':     may('governance.exemption.manage', [...managers, 'service'], { foreign: 'VALIDATION_FAILED' }),
  'Mutation.deletePolicyExemption':     may('governance.exemption.manage', [...managers, 'service']),
  'Query.scores':                       may('governance.score.read', readers),
  'Query.scoreHistory':                 may('governance.score.read', readers),
  'Subscription.scoreChanged':          may('governance.score.read', readers),
  'Query.policyRemediations':           may('governance.policy.read', readers),
  'Mutation.remediatePolicy':           may('governance.remediation.run', operators),
  'Query.canaries':                     may('governance.canary.read', readers),
  'Query.canary':                       may('governance.canary.read', readers),
  'Mutation.createCanary':              may('governance.canary.manage', operators, { foreign: 'VALIDATION_FAILED' }),
  'Mutation.updateCanary':              may('governance.canary.manage', operators),
  'Mutation.pauseCanary':               may('governance.canary.manage', operators),
  'Mutation.resumeCanary':              may('governance.canary.manage', operators),
  'Mutation.promoteCanary':             may('governance.canary.manage', operators),
  'Mutation.abortCanary':               may('governance.canary.manage', operators),
  'Subscription.canaryProgressed':      may('governance.canary.read', readers),
  'Query.gitOpsConfigs':                may('governance.gitops.read', readers),
  'Query.gitOpsConfig':                 may('governance.gitops.read', readers),
  'Mutation.createGitOpsConfig':        may('governance.gitops.manage', [...managers, 'service']),
  'Mutation.updateGitOpsConfig':        may('governance.gitops.manage', [...managers, 'service']),
  'Mutation.deleteGitOpsConfig':        may('governance.gitops.manage', [...managers, 'service']),
  'Mutation.refreshGitOpsConfig':       may('governance.gitops.manage', [...managers, 'service']),
  'Mutation.syncGitOpsConfig':          may('governance.gitops.manage', [...managers, 'service']),
  'Subscription.gitOpsConfigChanged':   may('governance.gitops.read', readers),
  'Query.admission':                    may('governance.admission.ask', ['service']),

  // Servers at providers
  'Query.hostingProviders':             may('hosting.provider.read', readers),
  'Query.hostingRegions':               may('hosting.provider.read', readers),
  'Query.hostingSizes':                 may('hosting.provider.read', readers),
  'Mutation.connectProvider':           may('hosting.provider.manage', [...managers, 'service']),
  'Mutation.disconnectProvider':        may('hosting.provider.manage', [...managers, 'service']),
  'Query.servers':                      may('hosting.server.read', readers),
  'Query.server':                       may('hosting.server.read', readers),
  'Mutation.provisionServer':           may('hosting.server.provision', operators),
  'Mutation.decommissionServer':        may('hosting.server.decommission', operators),
  'Mutation.protectServer':             may('hosting.server.protect', [...managers, 'service']),
  'Subscription.serverChanged':         may('hosting.server.read', readers),
  'Query.clusters':                     may('hosting.cluster.read', readers),
  'Query.cluster':                      may('hosting.cluster.read', readers),
  'Mutation.registerCluster':           may('hosting.cluster.manage', [...managers, 'service']),
  'Mutation.updateCluster':             may('hosting.cluster.manage', [...managers, 'service']),
  'Mutation.removeCluster':             may('hosting.cluster.manage', [...managers, 'service']),
  'Subscription.clusterChanged':        may('hosting.cluster.read', readers),
  'Query.deployments':                  may('hosting.deployment.read', readers),
  'Query.deployment':                   may('hosting.deployment.read', readers),
  'Mutation.createDeployment':          may('hosting.deployment.manage', operators),
  'Mutation.updateDeployment':          may('hosting.deployment.manage', operators),
  'Mutation.deleteDeployment':          may('hosting.deployment.manage', operators),
  'Subscription.deploymentChanged':     may('hosting.deployment.read', readers),
  'Query.placements':                   may('hosting.deployment.read', readers),
  'Query.placement':                    may('hosting.deployment.read', readers),
  'Mutation.placeDeployment':           may('hosting.deployment.manage', operators),
  'Mutation.updatePlacement':           may('hosting.deployment.manage', operators),
  'Mutation.resumePlacement':           may('hosting.deployment.manage', operators),
  'Mutation.removePlacement':           may('hosting.deployment.manage', operators),
  'Subscription.placementChanged':      may('hosting.deployment.read', readers),
  'Query.haStatus':                     may('hosting.ha.read', ['administrator', 'service']),
  'Query.haNodes':                      may('hosting.ha.read', ['administrator', 'service']),
  'Query.haChanges':                    may('hosting.ha.read', ['administrator', 'service']),
  'Query.haUpgrades':                   may('hosting.ha.read', ['administrator', 'service']),
  'Mutation.failOver':                  may('hosting.ha.manage', ['administrator', 'service']),
  'Mutation.startUpgrade':              may('hosting.ha.manage', ['administrator', 'service']),
  'Mutation.resumeUpgrade':             may('hosting.ha.manage', ['administrator', 'service']),
  'Mutation.cancelUpgrade':             may('hosting.ha.manage', ['administrator', 'service']),
  'Subscription.haChanged':             may('hosting.ha.read', ['administrator', 'service'], { ofPanel: true }),
  'Query.hostingCosts':                 may('hosting.cost.read', [...operators, 'billing']),
  'Query.serverForecast':               may('hosting.cost.read', [...operators, 'billing']),
  'Mutation.setHostingBudget':          may('hosting.budget.manage', payers),

  // The fleet
  'Query.instances':                    may('fleet.instance.read', readers),
  'Query.instance':                     may('fleet.instance.read', readers),
  'Query.instanceMetrics':              may('fleet.instance.read', readers),
  'Query.metricsHistory':               may('fleet.instance.read', readers),
  'Query.fleetSummary':                 may('fleet.instance.read', readers),
  'Query.fleetCursor':                  may('fleet.instance.read', readers),
  'Subscription.instanceChanged':       may('fleet.instance.read', readers),
  'Subscription.fleetHealthChanged':    may('fleet.instance.read', readers),
  'Subscription.metricsReported':       may('fleet.instance.read', readers),
  'Query.formerInstances':              may('fleet.instance.read', readers),
  'Mutation.updateInstance':            may('fleet.instance.update', operators),
  'Mutation.decommissionInstance':      may('fleet.instance.decommission', operators),
  'Mutation.rotateInstanceCredential':  may('fleet.credential.rotate', operators),
  'Mutation.createReenrollmentToken':   may('fleet.token.create', operators),
  'Mutation.impersonateInstance':       may('fleet.instance.impersonate', managers),
  'Mutation.redeemImpersonation':       may('fleet.impersonation.redeem', ['node'], { wrongSecret: 'TOKEN_INVALID' }),
  'Query.enrollmentTokens':             may('fleet.token.read', operators),
  'Mutation.createEnrollmentToken':     may('fleet.token.create', operators),
  'Mutation.createServerEnrollmentToken': may('fleet.server-token.create', ['service']),
  'Mutation.revokeEnrollmentToken':     may('fleet.token.revoke', operators),
  'Mutation.enrollInstance':            withSecret('TOKEN_INVALID'),
  'Mutation.reportHeartbeat':           may('fleet.heartbeat.report', ['node'], { asJobs: true }),
  'Mutation.reportDeparture':           may('fleet.departure.report', ['node']),

  'Query.instanceGroups':               may('fleet.group.read', readers),
  'Query.instanceGroup':                may('fleet.group.read', readers),
  'Mutation.createInstanceGroup':       may('fleet.group.manage', operators),
  'Mutation.updateInstanceGroup':       may('fleet.group.manage', operators),
  'Mutation.deleteInstanceGroup':       may('fleet.group.manage', operators),
  'Query.maintenanceWindows':           may('fleet.window.read', readers),
  'Mutation.createMaintenanceWindow':   may('fleet.window.manage', operators),
  'Mutation.updateMaintenanceWindow':   may('fleet.window.manage', operators),
  'Mutation.deleteMaintenanceWindow':   may('fleet.window.manage', operators),

  // Alerts
  'Query.alerts':                       may('fleet.alert.read', readers),
  'Query.alert':                        may('fleet.alert.read', readers),
  'Query.alertRules':                   may('fleet.alert.read', readers),
  'Subscription.alertChanged':          may('fleet.alert.read', readers),
  'Mutation.acknowledgeAlert':          may('fleet.alert.acknowledge', operators),
  'Mutation.resolveAlert':              may('fleet.alert.resolve', operators),
  'Mutation.updateAlertRule':           may('fleet.alert-rule.update', operators),
  'Mutation.resetAlertRule':            may('fleet.alert-rule.update', operators),

  'Query.silences':                     may('fleet.alert.read', readers),
  'Mutation.createSilence':             may('fleet.silence.create', operators),
  'Mutation.expireSilence':             may('fleet.silence.expire', operators),
  'Query.notificationChannels':         may('fleet.channel.read', operators),
  'Query.notificationDeliveries':       may('fleet.channel.read', operators),
  'Mutation.createEmailChannel':        may('fleet.channel.manage', [...managers, 'service']),
  'Mutation.createWebhookChannel':      may('fleet.channel.manage', [...managers, 'service']),
  'Mutation.updateNotificationChannel': may('fleet.channel.manage', [...managers, 'service']),
  'Mutation.deleteNotificationChannel': may('fleet.channel.manage', [...managers, 'service']),
  'Mutation.rotateWebhookSecret':       may('fleet.channel.manage', [...managers, 'service']),
  'Mutation.sendTestNotification':      may('fleet.channel.manage', [...managers, 'service']),
  'Mutation.sendAddressConfirmations':  may('fleet.channel.manage', [...managers, 'service']),
  'Mutation.confirmNotificationAddress': withSecret('ADDRESS_TOKEN_INVALID'),

  // Commands
  'Query.commands':                     may('fleet.command.read', [...operators, 'viewer', 'administrator']),
  'Query.command':                      may('fleet.command.read', [...operators, 'viewer', 'administrator']),
  'Query.commandKinds':                 may('fleet.command.read', [...operators, 'viewer', 'administrator']),
  'Subscription.commandProgressed':     may('fleet.command.read', [...operators, 'viewer', 'administrator']),
  'Mutation.sendCommand':               may('fleet.command.send', operators, { foreign: 'VALIDATION_FAILED' }),
  'Mutation.cancelCommand':             may('fleet.command.cancel', operators),
  'Mutation.reportCommandResult':       may('fleet.command.report', ['node']),
  'Subscription.commandsFor':           may('fleet.command.receive', ['node']),
};

/** The operation that a row is about. */
export const operationOf = (row: string): string => row.split('#')[0] ?? row;

/** Operations without a row, and rows without an operation. */
export function matrixFindings(schema: GraphQLSchema, rows: Matrix): Finding[] {
  const operations = rootFields(schema).map(({ coordinate }) => coordinate);
  const declared = Object.keys(rows);
  const finding = (where: string, problem: string): Finding => ({ where, caller: '-', problem });
  return [
    ...operations
      .filter((operation) => !declared.includes(operation))
      .map((operation) => finding(operation, 'has no row in test/security/matrix.ts: say who may call it')),
    ...declared
      .filter((row) => !operations.includes(operationOf(row)))
      .map((row) => finding(row, 'is no operation: take its row out of test/security/matrix.ts')),
  ];
}

/** Every permission that a row names. */
export function permissionsOf(rows: Matrix): string[] {
  return [...new Set(Object.values(rows).flatMap(({ permission }) => permission ?? []))];
}
