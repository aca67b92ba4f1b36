import { created, list, noContent, ok, page, route, type Route } from './route.js';

/**
 * Every REST route that is answered: method, path, the document whose selection is the body, and how it replies.
 * The rules that a row leaves unsaid are in README.md.
 */
// oxfmt-ignore
export const routes: readonly Route[] = [
  // Authentication
  route('POST',   '/api/auth/register',              'identity/RegisterUser',       { public: true, body: 'input', reply: created }),
  route('POST',   '/api/auth/login',                 'identity/LogInUser',          { public: true, body: 'input', reply: ok, omitNull: ['user', 'access_token', 'refresh_token', 'token_type', 'totp_required', 'challenge_token'] }),
  route('POST',   '/api/auth/refresh',               'identity/RefreshSession',     { public: true, body: 'input', reply: ok, omitNull: ['user'] }),
  route('GET',    '/api/auth/me',                    'identity/GetMe',              { reply: ok, omitNull: ['acting'], headers: { pending_email: 'X-Pending-Email' } }),
  route('PUT',    '/api/auth/profile',               'identity/UpdateProfile',      { body: 'input', reply: ok, headers: { pending_email: 'X-Pending-Email' } }),
  route('POST',   '/api/auth/change-password',       'identity/ChangePassword',     { body: 'input', reply: noContent }),
  route('POST',   '/api/auth/password/forgot',       'identity/RequestPasswordReset', { public: true, body: 'input', reply: noContent }),
  route('POST',   '/api/auth/password/reset',        'identity/ResetPassword',      { public: true, body: 'input', reply: noContent }),
  route('POST',   '/api/auth/totp/enable',           'identity/EnableTotp',         { body: 'input', reply: ok }),
  route('POST',   '/api/auth/totp/verify',           'identity/VerifyTotp',         { public: true, body: 'input', reply: ok, omitNull: ['totp_enabled', 'user', 'access_token', 'refresh_token', 'token_type', 'expires_in'] }),
  route('POST',   '/api/auth/totp/disable',          'identity/DisableTotp',        { body: 'input', reply: ok }),
  route('POST',   '/api/auth/logout',                'identity/LogOut',             { reply: noContent }),
  route('GET',    '/api/auth/sessions',              'identity/ListSessions',       { reply: page }),
  route('DELETE', '/api/auth/sessions/:id',          'identity/RevokeSession',      { reply: noContent }),

  // OAuth: the panel as identity provider of its nodes
  route('GET',    '/api/oauth/authorize/preflight',  'identity/PreflightAuthorization', { query: ['client_id', 'redirect_uri', 'state', 'code_challenge', 'code_challenge_method', 'response_type', 'nonce', 'prompt', 'max_age'], unknownQuery: 'ignored', reply: ok }),
  route('POST',   '/api/oauth/authorize/consent',    'identity/DecideAuthorization', { body: 'input', reply: ok }),
  route('POST',   '/api/oauth/token',                'identity/ExchangeAuthorizationCode', { public: true, body: 'input', reply: ok, accept: 'form', errors: 'oauth', unknownQuery: 'ignored' }),
  route('GET',    '/api/oauth/userinfo',             'identity/GetUserInfo',        { unknownQuery: 'ignored', reply: ok }),
  route('POST',   '/api/oauth/userinfo',             'identity/GetUserInfo',        { unknownQuery: 'ignored', reply: ok }),

  // Fleet
  route('GET',    '/api/fleet/instances',            'fleet/ListInstances',         { query: ['status', 'q'], reply: page }),
  route('GET',    '/api/fleet/instances/:id',        'fleet/GetInstance',           { reply: ok }),
  route('GET',    '/api/fleet/summary',              'fleet/GetFleetSummary',       { reply: ok }),
  route('GET',    '/api/fleet/health',               'fleet/ListInstanceHealth',    { reply: page }),
  route('GET',    '/api/fleet/metrics/:instanceId',  'fleet/GetInstanceMetrics',    { reply: ok }),
  route('GET',    '/api/fleet/instances/:id/metrics/history', 'fleet/GetMetricsHistory', { query: ['range', 'metric'], reply: ok, omitNull: ['metrics.cpu', 'metrics.mem', 'metrics.disk', 'metrics.net'] }),
  route('GET',    '/api/fleet/alerts',               'fleet/ListAlerts',            { query: ['status', 'severity'], reply: page }),
  route('POST',   '/api/fleet/alerts/:id/acknowledge', 'fleet/AcknowledgeAlert',    { reply: ok }),
  route('POST',   '/api/fleet/alerts/:id/resolve',   'fleet/ResolveAlert',          { reply: ok }),
  route('POST',   '/api/fleet/tokens',               'fleet/CreateEnrollmentToken', { body: 'input', reply: created }),
  route('GET',    '/api/fleet/tokens',               'fleet/ListEnrollmentTokens',  { reply: page, omitNull: ['revoked_reason'] }),
  route('DELETE', '/api/fleet/tokens/:id',           'fleet/RevokeEnrollmentToken', { reply: noContent }),
  route('DELETE', '/api/fleet/instances/:id',        'fleet/DecommissionInstance',  { reply: noContent }),
  route('POST',   '/api/fleet/instances/:id/impersonate', 'fleet/ImpersonateInstance', { body: 'input', reply: ok }),
  route('POST',   '/api/fleet/commands',             'fleet/SendCommand',           { body: 'input', reply: created }),
  route('GET',    '/api/fleet/commands',             'fleet/ListCommands',          { query: ['status', 'command', 'instance_id'], reply: page }),
  route('GET',    '/api/fleet/commands/:id',         'fleet/GetCommand',            { query: ['limit', 'after', 'instance_id'], reply: ok }),
  route('POST',   '/api/fleet/commands/:id/cancel',  'fleet/CancelCommand',         { reply: ok }),

  // Billing
  route('GET',    '/api/billing/subscription',       'billing/GetSubscription',     { reply: ok }),
  route('PUT',    '/api/billing/subscription',       'billing/ChangeSubscription',  { body: 'input', reply: ok }),
  route('GET',    '/api/billing/licenses',           'billing/ListLicences',        { reply: page }),
  route('GET',    '/api/billing/usage',              'billing/GetUsage',            { reply: ok }),
  route('GET',    '/api/billing/packages',           'billing/ListPackages',        { reply: list }),
  route('GET',    '/api/billing/invoices',           'billing/ListInvoices',        { reply: page, headers: { age: 'Age', warning: 'Warning' } }),

  // Partners
  route('GET',    '/api/partners',                   'billing/ListPartners',        { reply: page }),
  route('POST',   '/api/partners',                   'billing/RegisterPartner',     { body: 'input', reply: created }),
  route('GET',    '/api/partners/:id',               'billing/GetPartner',          { reply: ok }),
  route('PUT',    '/api/partners/:id',               'billing/UpdatePartner',       { body: 'input', reply: ok }),
  route('GET',    '/api/partner-tiers',              'billing/ListPartnerTiers',    { reply: list }),

  // Governance
  route('GET',    '/api/governance/policies',        'governance/ListPolicies',     { reply: page, omitNull: ['rule.condition'] }),
  route('POST',   '/api/governance/policies',        'governance/CreatePolicy',     { body: 'input', reply: created, omitNull: ['rule.condition'] }),
  route('PUT',    '/api/governance/policies/:id',    'governance/UpdatePolicy',     { body: 'input', reply: ok, omitNull: ['rule.condition'] }),
  route('DELETE', '/api/governance/policies/:id',    'governance/DeletePolicy',     { reply: noContent }),
  route('GET',    '/api/governance/canary',          'governance/ListCanaries',     { reply: page }),
  route('POST',   '/api/governance/canary',          'governance/CreateCanary',     { body: 'input', reply: created }),
  route('PUT',    '/api/governance/canary/:id',      'governance/UpdateCanary',     { body: 'input', reply: ok }),
  route('GET',    '/api/governance/gitops',          'governance/ListGitOpsConfigs',  { reply: page }),
  route('POST',   '/api/governance/gitops',          'governance/CreateGitOpsConfig', { body: 'input', reply: created }),
  route('PUT',    '/api/governance/gitops/:id',      'governance/UpdateGitOpsConfig', { body: 'input', reply: ok }),
  route('GET',    '/api/governance/scores',          'governance/GetScores',        { query: ['limit', 'after'], reply: ok, headers: { total: 'X-Total-Count' } }),

  // Hosting
  route('GET',    '/api/hosting/providers',          'hosting/ListProviders',       { reply: list }),
  route('GET',    '/api/hosting/servers',            'hosting/ListServers',         { query: ['status', 'provider'], reply: page, omitNull: ['instance_id'] }),
  route('POST',   '/api/hosting/servers',            'hosting/ProvisionServer',     { body: 'input', reply: created, omitNull: ['instance_id'] }),
  route('GET',    '/api/hosting/servers/:id',        'hosting/GetServer',           { reply: ok, omitNull: ['instance_id'] }),
  route('DELETE', '/api/hosting/servers/:id',        'hosting/DecommissionServer',  { reply: noContent }),
  route('GET',    '/api/hosting/regions',            'hosting/ListRegions',         { query: ['provider'], reply: list }),
  route('GET',    '/api/hosting/sizes',              'hosting/ListSizes',           { query: ['provider', 'region'], reply: list }),

  // Kubernetes
  route('GET',    '/api/k8s/clusters',               'hosting/ListClusters',        { query: ['status', 'region'], reply: page }),
  route('POST',   '/api/k8s/clusters',               'hosting/RegisterCluster',     { body: 'input', reply: created }),
  route('GET',    '/api/k8s/clusters/:id',           'hosting/GetCluster',          { reply: ok }),
  route('PUT',    '/api/k8s/clusters/:id',           'hosting/UpdateCluster',       { body: 'input', reply: ok }),
  route('DELETE', '/api/k8s/clusters/:id',           'hosting/RemoveCluster',       { reply: noContent }),
  route('GET',    '/api/k8s/deployments',            'hosting/ListDeployments',     { query: ['cluster_id', 'status'], reply: page }),
  route('POST',   '/api/k8s/deployments',            'hosting/CreateDeployment',    { body: 'input', reply: created }),
  route('GET',    '/api/k8s/deployments/:id',        'hosting/GetDeployment',       { reply: ok }),
  route('PUT',    '/api/k8s/deployments/:id',        'hosting/UpdateDeployment',    { body: 'input', reply: ok }),
  route('DELETE', '/api/k8s/deployments/:id',        'hosting/DeleteDeployment',    { reply: noContent }),

  // High availability
  route('GET',    '/api/cc/ha/status',               'hosting/GetHaStatus',         { reply: ok }),
  route('GET',    '/api/cc/ha/nodes',                'hosting/ListHaNodes',         { reply: list }),
  route('POST',   '/api/cc/ha/failover',             'hosting/FailOver',            { body: 'input', reply: ok }),
  route('POST',   '/api/cc/ha/upgrade',              'hosting/StartUpgrade',        { body: 'input', reply: created }),

  // MSP: the tenant as a provider of others
  route('GET',    '/api/msp/clients',                'identity/ListMspClients',     { reply: page }),
  route('POST',   '/api/msp/clients',                'identity/CreateMspClient',    { body: 'input', reply: created }),
  route('GET',    '/api/msp/clients/:id',            'identity/GetMspClient',       { reply: ok }),
  route('PUT',    '/api/msp/clients/:id',            'identity/UpdateMspClient',    { body: 'input', reply: ok }),
  route('DELETE', '/api/msp/clients/:id',            'identity/DeleteMspClient',    { reply: noContent }),
  route('POST',   '/api/msp/clients/:id/suspend',    'identity/SuspendMspClient',   { reply: ok }),
  route('POST',   '/api/msp/clients/:id/restore',    'identity/RestoreMspClient',   { reply: ok }),
  route('GET',    '/api/msp/branding',               'identity/GetBranding',        { reply: ok }),
  route('PUT',    '/api/msp/branding',               'identity/UpdateBranding',     { body: 'input', reply: ok }),

  // The agent's path: heartbeats carry the node's credential, not a user's token
  route('POST',   '/api/agent/enroll',               'fleet/EnrollInstance',        { public: true, body: 'input', reply: created, omitNull: ['warnings'] }),
  route('POST',   '/api/agent/heartbeat',            'fleet/ReportHeartbeat',       { body: 'input', reply: ok, omitNull: ['credential', 'warnings'] }),
  route('POST',   '/api/agent/departure',            'fleet/ReportDeparture',       { reply: noContent }),
  route('GET',    '/api/agent/license',              'billing/GetOwnLicence',       { reply: ok }),
  route('POST',   '/api/agent/impersonation/redeem', 'fleet/RedeemImpersonation',   { body: 'input', reply: ok, omitNull: ['warnings'] }),
  route('POST',   '/api/agent/commands/:id/result',  'fleet/ReportCommandResult',   { body: 'input', reply: noContent }),
];
