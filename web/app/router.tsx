import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from '@tanstack/react-router';

import { alertSearch } from '../alerts/alert-search.ts';
import { commandSearch, newCommandSearch } from '../commands/command-search.ts';
import { instanceSearch, rangeSearch } from '../instances/instance-search.ts';
import { OverviewPage } from '../overview/overview.page.tsx';
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
  component: lazyRouteComponent(() => import('../commands/command.page.tsx')),
});

const enrollment = createRoute({
  getParentRoute: () => root,
  path: '/enrollment',
  component: lazyRouteComponent(() => import('../enrollment/enrollment.page.tsx')),
});

export const router = createRouter({
  routeTree: root.addChildren([
    overview,
    instances,
    instance,
    alerts,
    commands,
    newCommand,
    command,
    enrollment,
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
