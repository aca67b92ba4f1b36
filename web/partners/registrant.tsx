import { useRead } from '../api/use-read.ts';
import { TenantsDocument } from '../generated/graphql.ts';
import { useViewer } from '../session/viewer.tsx';

/**
 * The organization that has registered, for who decides about it: a partner's name and address are words of whoever that is.
 * A name may look like an id, so that others may be found as well.
 */
export function Registrant({ tenantId }: { tenantId: string }) {
  const { may } = useViewer();
  const mayList = may('identity.tenant.list');
  const variables = { filter: { search: tenantId } };
  const { data } = useRead(TenantsDocument, { variables, pause: !mayList });
  const tenant = data?.tenants.nodes.find(({ id }) => id === tenantId);
  if (!mayList) return null;
  return (
    <p>
      Registered by <strong>{tenant?.name}</strong> <code>{tenantId}</code>
      {tenant &&
        tenant.owners.length > 0 &&
        `, owned by ${tenant.owners.map(({ email }) => email).join(', ')}`}
    </p>
  );
}
