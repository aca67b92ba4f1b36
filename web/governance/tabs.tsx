import { Tabs } from '../parts/tabs.tsx';

const tabs = [
  { to: '/governance', text: 'Policies', permission: 'governance.policy.read' },
  { to: '/governance/scores', text: 'Scores', permission: 'governance.score.read' },
  { to: '/governance/canaries', text: 'Canaries', permission: 'governance.canary.read' },
  { to: '/governance/gitops', text: 'GitOps', permission: 'governance.gitops.read' },
] as const;

/** The pages of governance beside each other. */
export function GovernanceTabs() {
  return <Tabs label="Governance" tabs={tabs} />;
}
