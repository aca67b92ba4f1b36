/** The pages that the navigation and the palette lead to, and what it takes to see them. */
export const pages = [
  { to: '/', text: 'Overview', permission: 'fleet.instance.read' },
  { to: '/instances', text: 'Instances', permission: 'fleet.instance.read' },
  { to: '/alerts', text: 'Alerts', permission: 'fleet.alert.read' },
  { to: '/commands', text: 'Commands', permission: 'fleet.command.read' },
  { to: '/enrollment', text: 'Enrollment', permission: 'fleet.token.read' },
] as const;
