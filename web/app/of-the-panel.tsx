import type { ReactNode } from 'react';

import { Page } from '../parts/page.tsx';
import { useViewer } from '../session/viewer.tsx';

interface OfThePanelProps {
  title: string;
  permission: string;
  children: ReactNode;
}

/** A page for who runs the panel: nobody of an organization can give the right to it, so it is not an owner that is to be asked. */
export function OfThePanel({ title, permission, children }: OfThePanelProps) {
  const { may } = useViewer();
  if (may(permission)) return children;
  return (
    <Page title={title}>
      <p>This page is for whoever runs the panel. No role in an organization shows it.</p>
    </Page>
  );
}
