import { Tabs } from '../parts/tabs.tsx';

const tabs = [
  { to: '/alerts', text: 'Alerts', permission: 'fleet.alert.read' },
  { to: '/alerts/rules', text: 'Rules', permission: 'fleet.alert.read' },
  { to: '/alerts/channels', text: 'Channels', permission: 'fleet.channel.read' },
] as const;

/** The pages about alerts beside each other. */
export function AlertTabs() {
  return <Tabs label="Alerting" tabs={tabs} />;
}
