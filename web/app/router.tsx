import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  parseSearchWith,
  stringifySearchWith,
} from '@tanstack/react-router';

import { alertSearch } from '../alerts/alert-search.ts';
import { billingSearch } from '../billing/billing-search.ts';
import { licenceSearch } from '../billing/licence-search.ts';
import { clientSearch } from '../clients/client-search.ts';
import { commandSearch, newCommandSearch, resultSearch } from '../commands/command-search.ts';
import { enrollmentSearch } from '../enrollment/enrollment-search.ts';
import { canarySearch } from '../governance/canary-search.ts';
import { policySearch } from '../governance/policy-search.ts';
import { serverSearch } from '../hosting/server-search.ts';
import { instanceSearch, rangeSearch } from '../instances/instance-search.ts';
import { auditSearch } from '../organization/audit-search.ts';
import { OverviewPage } from '../overview/overview.page.tsx';
import { partnerSearch } from '../partners/partner-search.ts';
import { tenantSearch } from '../tenants/tenant-search.ts';
import { Frame } from './frame.tsx';
import { BrokenPage, NoSuchPage } from './no-such-page.tsx';

const root = createRootRoute({ component: Frame, notFoundComponent: NoSuchPage });

const overview = createRoute({ getParentRoute: () => root, path: '/', component: OverviewPage });

const instances = createRoute({
  getParentRoute: () => root,
  path: '/instances',
  validateSearch: instanceSearch,
  component: lazyRouteComponent(() => import('../instances/instances.page.tsx')),
});

const instance = createRoute({
  getParentRoute: () => root,
  path: '/instances/$id',
  validateSearch: rangeSearch,
  component: lazyRouteComponent(() => import('../instances/instance.page.tsx')),
});

const alerts = createRoute({
  getParentRoute: () => root,
  path: '/alerts',
  validateSearch: alertSearch,
  component: lazyRouteComponent(() => import('../alerts/alerts.page.tsx')),
});

const alertRules = createRoute({
  getParentRoute: () => root,
  path: '/alerts/rules',
  component: lazyRouteComponent(() => import('../alerts/rules.page.tsx')),
});

const channels = createRoute({
  getParentRoute: () => root,
  path: '/alerts/channels',
  component: lazyRouteComponent(() => import('../alerts/channels.page.tsx')),
});

const commands = createRoute({
  getParentRoute: () => root,
  path: '/commands',
  validateSearch: commandSearch,
  component: lazyRouteComponent(() => import('../commands/commands.page.tsx')),
});

const newCommand = createRoute({
  getParentRoute: () => root,
  path: '/commands/new',
  validateSearch: newCommandSearch,
  component: lazyRouteComponent(() => import('../commands/new-command.page.tsx')),
});

const command = createRoute({
  getParentRoute: () => root,
  path: '/commands/$id',
  validateSearch: resultSearch,
  component: lazyRouteComponent(() => import('../commands/command.page.tsx')),
});

const groups = createRoute({
  getParentRoute: () => root,
  path: '/groups',
  component: lazyRouteComponent(() => import('../groups/groups.page.tsx')),
});

const maintenance = createRoute({
  getParentRoute: () => root,
  path: '/maintenance',
  component: lazyRouteComponent(() => import('../maintenance/maintenance.page.tsx')),
});

const enrollment = createRoute({
  getParentRoute: () => root,
  path: '/enrollment',
  validateSearch: enrollmentSearch,
  component: lazyRouteComponent(() => import('../enrollment/enrollment.page.tsx')),
});

const policies = createRoute({
  getParentRoute: () => root,
  path: '/governance',
  component: lazyRouteComponent(() => import('../governance/policies.page.tsx')),
});

const policy = createRoute({
  getParentRoute: () => root,
  path: '/governance/policies/$id',
  validateSearch: policySearch,
  component: lazyRouteComponent(() => import('../governance/policy.page.tsx')),
});

const scores = createRoute({
  getParentRoute: () => root,
  path: '/governance/scores',
  component: lazyRouteComponent(() => import('../governance/scores.page.tsx')),
});

const canaries = createRoute({
  getParentRoute: () => root,
  path: '/governance/canaries',
  validateSearch: canarySearch,
  component: lazyRouteComponent(() => import('../governance/canaries.page.tsx')),
});

const canary = createRoute({
  getParentRoute: () => root,
  path: '/governance/canaries/$id',
  component: lazyRouteComponent(() => import('../governance/canary.page.tsx')),
});

const gitops = createRoute({
  getParentRoute: () => root,
  path: '/governance/gitops',
  component: lazyRouteComponent(() => import('../governance/gitops.page.tsx')),
});

const servers = createRoute({
  getParentRoute: () => root,
  path: '/servers',
  validateSearch: serverSearch,
  component: lazyRouteComponent(() => import('../hosting/servers.page.tsx')),
});

const server = createRoute({
  getParentRoute: () => root,
  path: '/servers/$id',
  component: lazyRouteComponent(() => import('../hosting/server.page.tsx')),
});

const kubernetes = createRoute({
  getParentRoute: () => root,
  path: '/kubernetes',
  component: lazyRouteComponent(() => import('../kubernetes/kubernetes.page.tsx')),
});

const cluster = createRoute({
  getParentRoute: () => root,
  path: '/kubernetes/$id',
  component: lazyRouteComponent(() => import('../kubernetes/cluster.page.tsx')),
});

const deployment = createRoute({
  getParentRoute: () => root,
  path: '/kubernetes/deployments/$id',
  component: lazyRouteComponent(() => import('../kubernetes/deployment.page.tsx')),
});

const billing = createRoute({
  getParentRoute: () => root,
  path: '/billing',
  validateSearch: billingSearch,
  component: lazyRouteComponent(() => import('../billing/billing.page.tsx')),
});

const licences = createRoute({
  getParentRoute: () => root,
  path: '/licences',
  validateSearch: licenceSearch,
  component: lazyRouteComponent(() => import('../billing/licences.page.tsx')),
});

const clients = createRoute({
  getParentRoute: () => root,
  path: '/clients',
  validateSearch: clientSearch,
  component: lazyRouteComponent(() => import('../clients/clients.page.tsx')),
});

const client = createRoute({
  getParentRoute: () => root,
  path: '/clients/$id',
  component: lazyRouteComponent(() => import('../clients/client.page.tsx')),
});

const partner = createRoute({
  getParentRoute: () => root,
  path: '/partners/$id',
  component: lazyRouteComponent(() => import('../partners/partner.page.tsx')),
});

const partners = createRoute({
  getParentRoute: () => root,
  path: '/partners',
  validateSearch: partnerSearch,
  component: lazyRouteComponent(() => import('../partners/partners.page.tsx')),
});

const members = createRoute({
  getParentRoute: () => root,
  path: '/members',
  component: lazyRouteComponent(() => import('../organization/members.page.tsx')),
});

const branding = createRoute({
  getParentRoute: () => root,
  path: '/organization/branding',
  component: lazyRouteComponent(() => import('../organization/branding.page.tsx')),
});

const apiKeys = createRoute({
  getParentRoute: () => root,
  path: '/api-keys',
  component: lazyRouteComponent(() => import('../organization/api-keys.page.tsx')),
});

const audit = createRoute({
  getParentRoute: () => root,
  path: '/audit',
  validateSearch: auditSearch,
  component: lazyRouteComponent(() => import('../organization/audit.page.tsx')),
});

const tenants = createRoute({
  getParentRoute: () => root,
  path: '/tenants',
  validateSearch: tenantSearch,
  component: lazyRouteComponent(() => import('../tenants/tenants.page.tsx')),
});

const ha = createRoute({
  getParentRoute: () => root,
  path: '/ha',
  component: lazyRouteComponent(() => import('../ha/ha.page.tsx')),
});

const profile = createRoute({
  getParentRoute: () => root,
  path: '/profile',
  component: lazyRouteComponent(() => import('../account/profile.page.tsx')),
});

export const router = createRouter({
  // As people write addresses: @tanstack/react-router 1.170.46 would read digits as JSON, and an id of twenty digits or 1.10
  // as another number.
  parseSearch: parseSearchWith((text) => text),
  stringifySearch: stringifySearchWith(JSON.stringify),
  routeTree: root.addChildren([
    overview,
    instances,
    instance,
    alerts,
    alertRules,
    channels,
    commands,
    newCommand,
    command,
    groups,
    maintenance,
    enrollment,
    policies,
    policy,
    scores,
    canaries,
    canary,
    gitops,
    servers,
    server,
    kubernetes,
    cluster,
    deployment,
    billing,
    licences,
    clients,
    client,
    partners,
    partner,
    members,
    branding,
    apiKeys,
    audit,
    tenants,
    ha,
    profile,
  ]),
  defaultErrorComponent: BrokenPage,
  defaultPreload: 'intent',
  scrollRestoration: true,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
