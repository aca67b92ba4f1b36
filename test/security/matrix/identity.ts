import {
  callers,
  everyone,
  managers,
  may,
  operators,
  readers,
  users,
  withSecret,
  type Matrix,
} from './access.js';

// oxfmt-ignore
export const identity: Matrix = {
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
  'Mutation.revokeOtherSessions':       may('identity.account.manage', users),
  'Mutation.logout':                    may('identity.account.manage', users),
  'Mutation.enableTotp':                may('identity.account.manage', users),
  'Mutation.verifyTotp':                may('identity.account.manage', users),
  'Mutation.verifyTotp#challenge':      withSecret('CHALLENGE_INVALID'),
  'Mutation.disableTotp':               may('identity.account.manage', users),
  'Mutation.regenerateRecoveryCodes':   may('identity.account.manage', users),
  'Mutation.resetSecondFactor':         may('identity.second-factor.reset', [...managers, 'administrator']),
  'Query.linkState':                    everyone,
  'Query.registration':                 everyone,

  // The tenant
  'Query.tenant':                       may('identity.tenant.read', [...readers, 'node']),
  'Mutation.updateTenant':             may('identity.tenant.update', [...managers, 'service']),
  'Query.tenants':                      may('identity.tenant.list', ['administrator'], { acrossTenants: ['administrator'] }),
  'Mutation.endPlanGrant':              may('identity.plan.grant', ['administrator', 'service'], { acrossTenants: ['administrator'] }),
  'Mutation.grantPlan':                 may('identity.plan.grant', ['administrator', 'service'], { acrossTenants: ['administrator'] }),

  'Mutation.createTenant':              may('identity.tenant.create', ['administrator'], { acrossTenants: ['administrator'] }),
  'Mutation.suspendTenant':             may('identity.tenant.suspend', ['administrator'], { acrossTenants: ['administrator'] }),
  'Mutation.restoreTenant':             may('identity.tenant.suspend', ['administrator'], { acrossTenants: ['administrator'] }),

  'Query.auditEvents':                  may('identity.audit.read', [...managers, 'service']),
  'Query.verifyAudit':                  may('identity.audit.read', [...managers, 'service']),
  'Subscription.auditEventRecorded':    may('identity.audit.read', [...managers, 'service']),

  'Query.branding':                     may('identity.branding.read', readers),
  'Query.shownBranding':                may('identity.branding.read', readers),
  'Mutation.updateBranding':            may('identity.branding.manage', [...managers, 'service']),
  'Query.members':                      may('identity.member.read', readers),
  'Query.invitations':                  may('identity.member.manage', [...managers, 'service']),
  'Mutation.inviteMember':              may('identity.member.manage', managers),
  'Mutation.revokeInvitation':          may('identity.member.manage', managers),
  'Mutation.acceptInvitation':          withSecret('INVITATION_INVALID'),
  'Mutation.changeMemberRole':          may('identity.member.manage', managers),
  'Mutation.endMemberSessions':         may('identity.member.manage', managers),
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
  'Subscription.receivedDelegationChanged': may('identity.delegation.use', operators),
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
};
