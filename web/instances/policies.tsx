import { Link } from '@tanstack/react-router';

import { useFollowed } from '../api/use-followed.ts';
import { usePages } from '../api/use-pages.ts';
import { useRead } from '../api/use-read.ts';
import {
  InstancePoliciesDocument,
  InstanceScoreChangedDocument,
  PolicyExemptionsDocument,
} from '../generated/graphql.ts';
import { Exemptions } from '../governance/exemptions.tsx';
import { evidenceText } from '../governance/policy-words.ts';
import { ResultActions } from '../governance/result-actions.tsx';
import { Card } from '../parts/card.tsx';
import { Status } from '../parts/status.tsx';
import { Time } from '../parts/time.tsx';
import { words } from '../parts/words.ts';
import { useViewer } from '../session/viewer.tsx';

/** Which policies hold on the instance, what can be done where not, and which it is exempt from. */
export function Policies({ id, name }: { id: string; name: string }) {
  const { may } = useViewer();
  const { data, error, read } = useRead(InstancePoliciesDocument, { variables: { id } });
  const exemptions = usePages(
    PolicyExemptionsDocument,
    { instanceId: id },
    ({ policyExemptions }) => policyExemptions,
  );
  const judgedAnew = () => {
    read();
    exemptions.reload();
  };
  useFollowed(InstanceScoreChangedDocument, { instanceId: id }, judgedAnew, may('governance.score.read'));
  const instance = data?.instance;
  const results = instance?.policyResults ?? [];
  const isExempt = exemptions.error !== undefined || (exemptions.rows ?? []).length > 0;
  return (
    <>
      <Card title="Policies" className="wide" error={error} retry={read}>
        {instance && (
          <>
            <p>Score {instance.score ?? '–'}</p>
            {results.length === 0 && <p>No policy applies to it.</p>}
            <ul className="rows" aria-label="Policies">
              {results.map(({ policyId, status, since, evidence, policy }) => (
                <li key={policyId} className="row">
                  <div>
                    <Status of={status} />{' '}
                    <Link to="/governance/policies/$id" params={{ id: policyId }}>
                      {policy?.name ?? policyId}
                    </Link>{' '}
                    {policy && <span className="quiet">{words(policy.enforcement)}</span>} <Time at={since} />
                    {evidence && <p>{evidenceText(evidence)}</p>}
                    {status === 'FAIL' && policy?.resolution && <p>{policy.resolution}</p>}
                  </div>
                  {policy && (
                    <ResultActions
                      policy={{ ...policy, id: policyId }}
                      instance={{ id, name }}
                      status={status}
                      onChange={judgedAnew}
                    />
                  )}
                </li>
              ))}
            </ul>
          </>
        )}
      </Card>
      {isExempt && (
        <Exemptions pages={exemptions} names="policy" empty="It is exempt from none." onEnded={judgedAnew} />
      )}
    </>
  );
}
