/** The pages that the navigation and the palette lead to, and what it takes to see them. */
export const pages = [
  { to: '/', text: 'Overview', permission: 'fleet.instance.read' },
  { to: '/instances', text: 'Instances', permission: 'fleet.instance.read' },
  { to: '/alerts', text: 'Alerts', permission: 'fleet.alert.read' },
  { to: '/commands', text: 'Commands', permission: 'fleet.command.read' },
  { to: '/enrollment', text: 'Enrollment', permission: 'fleet.token.read' },
  { to: '/governance', text: 'Policies', permission: 'governance.policy.read' },
  { to: '/servers', text: 'Servers', permission: 'hosting.server.read' },
  { to: '/kubernetes', text: 'Kubernetes', permission: 'hosting.cluster.read' },
] as const;

/** Those that are looked at less often, behind "More". */
export const morePages = [
  { to: '/alerts/rules', text: 'Alert rules', permission: 'fleet.alert.read' },
  { to: '/alerts/channels', text: 'Channels', permission: 'fleet.channel.read' },
  { to: '/groups', text: 'Groups', permission: 'fleet.group.read' },
  { to: '/maintenance', text: 'Maintenance windows', permission: 'fleet.window.read' },
  { to: '/governance/scores', text: 'Scores', permission: 'governance.score.read' },
  { to: '/governance/canaries', text: 'Canaries', permission: 'governance.canary.read' },
  { to: '/governance/gitops', text: 'GitOps', permission: 'governance.gitops.read' },
  { to: '/billing', text: 'Billing', permission: 'billing.subscription.read' },
  { to: '/licences', text: 'Licences', permission: 'billing.licence.read' },
  { to: '/clients', text: 'Clients', permission: 'identity.msp.read' },
  { to: '/partners', text: 'Partners', permission: 'billing.partner.read' },
  { to: '/members', text: 'Members', permission: 'identity.member.read' },
  { to: '/organization/branding', text: 'Branding', permission: 'identity.branding.read' },
  { to: '/api-keys', text: 'API keys', permission: 'identity.api-key.manage' },
  { to: '/audit', text: 'Audit trail', permission: 'identity.audit.read' },
  { to: '/tenants', text: 'Organizations', permission: 'identity.tenant.list' },
  { to: '/ha', text: 'High availability', permission: 'hosting.ha.read' },
] as const;
