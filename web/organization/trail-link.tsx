import { Link } from '@tanstack/react-router';

import { useViewer } from '../session/viewer.tsx';

/** Leads to what the trail has of a thing, for whoever may see that. */
export function TrailLink({ target }: { target: string }) {
  const { may } = useViewer();
  if (!may('identity.audit.read')) return null;
  return (
    <Link to="/audit" search={{ target }} className="button">
      What was done to it
    </Link>
  );
}
