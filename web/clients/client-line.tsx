import { Link } from '@tanstack/react-router';

import type { MspClientsQuery } from '../generated/graphql.ts';
import { Meter } from '../parts/card.tsx';
import { Status } from '../parts/status.tsx';
import { exactTime } from '../parts/time.tsx';
import { words } from '../parts/words.ts';
import { useViewer } from '../session/viewer.tsx';
import { ClientActions } from './client-actions.tsx';
import { ClientHealth } from './client-health.tsx';
import { isLetIn, type Grant } from './use-grants.ts';

interface ClientLineProps {
  client: MspClientsQuery['mspClients']['nodes'][number];
  /** What clients have granted, by client; undefined while that is not known, or for whoever acts nowhere. */
  grants: ReadonlyMap<string, Grant> | undefined;
  onChange: () => void;
}

/** One client, and the way to act in it while it grants that. */
export function ClientLine({ client, grants, onChange }: ClientLineProps) {
  const { id, name, contactEmail, plan, instanceLimit, instancesUsed, health, status, eraseAt } = client;
  const { me } = useViewer();
  const grant = grants?.get(id);
  return (
    <>
      <div>
        <Status of={status} />{' '}
        <Link to="/clients/$id" params={{ id }}>
          {name}
        </Link>{' '}
        {words(plan)}, {contactEmail}
        {eraseAt && <p className="wrong">All of it is erased {exactTime(eraseAt)}.</p>}
        <ClientHealth health={health} />
        <Meter label="Instances" used={instancesUsed} limit={instanceLimit} />
        {grants && <p className="quiet">{accessOf(grant, me.id)}</p>}
      </div>
      <ClientActions client={client} isGranted={isLetIn(grant, me.id)} onChange={onChange} />
    </>
  );
}

function accessOf(grant: Grant | undefined, userId: string): string {
  if (!grant) return 'Its owner has granted no access. Ask for it on its page.';
  const { role, expiresAt } = grant;
  if (!isLetIn(grant, userId))
    return 'Its owner has let in others of your organization only. Ask for access on its page.';
  return `You may act in it as ${words(role).toLowerCase()} until ${exactTime(expiresAt)}.`;
}
