import { Link, type LinkProps } from '@tanstack/react-router';

import { useViewer } from '../session/viewer.tsx';

interface TabsProps {
  label: string;
  tabs: readonly { to: NonNullable<LinkProps['to']>; text: string; permission: string }[];
}

/** Pages of one domain beside each other: those that the viewer may see. */
export function Tabs({ label, tabs }: TabsProps) {
  const { may } = useViewer();
  return (
    <nav aria-label={label} className="choices">
      {tabs
        .filter(({ permission }) => may(permission))
        .map(({ to, text }) => (
          <Link key={to} to={to} className="button" activeOptions={{ exact: true, includeSearch: false }}>
            {text}
          </Link>
        ))}
    </nav>
  );
}
