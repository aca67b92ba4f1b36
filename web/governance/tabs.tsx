import { Link } from '@tanstack/react-router';

import { useViewer } from '../session/viewer.tsx';

const tabs = [
  { to: '/governance', text: 'Policies', permission: 'governance.policy.read' },
  { to: '/governance/scores', text: 'Scores', permission: 'governance.score.read' },
  { to: '/governance/canaries', text: 'Canaries', permission: 'governance.canary.read' },
  { to: '/governance/gitops', text: 'GitOps', permission: 'governance.gitops.read' },
] as const;

/** The pages of governance beside each other. */
export function GovernanceTabs() {
  const { may } = useViewer();
  return (
    <nav aria-label="Governance" className="choices">
      {tabs
        .filter(({ permission }) => may(permission))
        .map(({ to, text }) => (
          <Link key={to} to={to} className="button" activeOptions={{ exact: true }}>
            {text}
          </Link>
        ))}
    </nav>
  );
}
