import { useFollowed } from '../api/use-followed.ts';
import { useRead } from '../api/use-read.ts';
import { InstanceScoreChangedDocument, InstanceStandingDocument } from '../generated/graphql.ts';
import { Card } from '../parts/card.tsx';
import { Status } from '../parts/status.tsx';
import { Time } from '../parts/time.tsx';
import { words } from '../parts/words.ts';
import { useViewer } from '../session/viewer.tsx';

/** What other parts of the panel know of the instance: policies, licence, server. */
export function Standing({ id }: { id: string }) {
  const { may } = useViewer();
  const { data, error, read } = useRead(InstanceStandingDocument, { variables: { id } });
  useFollowed(InstanceScoreChangedDocument, { instanceId: id }, read, may('governance.score.read'));
  const instance = data?.instance;
  const results = instance?.policyResults ?? [];
  return (
    <>
      <Card title="Policies" error={error} retry={read}>
        {instance && (
          <>
            <p>Score {instance.score ?? '–'}</p>
            {results.length === 0 && <p>No policy applies to it.</p>}
            <ul className="lines">
              {results.map(({ policyId, status, since, policy }) => (
                <li key={policyId}>
                  <Status of={status} /> <strong>{policy?.name ?? policyId}</strong>{' '}
                  {policy && <span className="quiet">{words(policy.enforcement)}</span>} <Time at={since} />
                  {status === 'FAIL' && policy?.resolution && <p>{policy.resolution}</p>}
                </li>
              ))}
            </ul>
          </>
        )}
      </Card>
      {instance && (
        <Card title="Licence and server">
          {instance.licence ? (
            <p>
              Licence of {words(instance.licence.plan)}, {words(instance.licence.status).toLowerCase()}, ends{' '}
              <Time at={instance.licence.expiresAt} />
            </p>
          ) : (
            <p>It has no licence yet.</p>
          )}
          {instance.server ? (
            <p>
              Server {instance.server.name} at {instance.server.provider} in {instance.server.region},{' '}
              {instance.server.ipAddress ?? 'without an address'} <Status of={instance.server.status} />
            </p>
          ) : (
            <p>Its machine was not rented through this panel.</p>
          )}
        </Card>
      )}
    </>
  );
}
