import { Link } from '@tanstack/react-router';

import { useRead } from '../api/use-read.ts';
import { InstanceStandingDocument } from '../generated/graphql.ts';
import { Card } from '../parts/card.tsx';
import { Status } from '../parts/status.tsx';
import { Time } from '../parts/time.tsx';
import { words } from '../parts/words.ts';

/** What billing and hosting know of the instance. While one of them is away, what is not told is not said to be none. */
export function Standing({ id }: { id: string }) {
  const { data, error, read } = useRead(InstanceStandingDocument, { variables: { id } });
  const instance = data?.instance;
  return (
    <Card title="Licence and server" error={error} retry={read}>
      {instance &&
        (instance.licence ? (
          <p>
            Licence of {words(instance.licence.plan)}, {words(instance.licence.status).toLowerCase()}, ends{' '}
            <Time at={instance.licence.expiresAt} />. <Link to="/licences">All licences</Link>
          </p>
        ) : (
          !error && <p>It has no licence yet.</p>
        ))}
      {instance &&
        (instance.server ? (
          <p>
            Server{' '}
            <Link to="/servers/$id" params={{ id: instance.server.id }}>
              {instance.server.name}
            </Link>{' '}
            at {instance.server.provider} in {instance.server.region},{' '}
            {instance.server.ipAddress ?? 'without an address'} <Status of={instance.server.status} />
          </p>
        ) : (
          !error && <p>Its machine was not rented through this panel.</p>
        ))}
    </Card>
  );
}
