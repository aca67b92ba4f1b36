import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { useRef, useState } from 'react';

import { problemOf } from '../api/problem.ts';
import { useFollowed } from '../api/use-followed.ts';
import { usePages } from '../api/use-pages.ts';
import { useRead } from '../api/use-read.ts';
import { NoSuchPage } from '../app/no-such-page.tsx';
import {
  DeletePolicyDocument,
  PolicyDetailDocument,
  PolicyFailuresDocument,
  ScoreChangedDocument,
  PolicyExemptionsDocument,
  PolicyRemediationsDocument,
  type PolicyDetailQuery,
} from '../generated/graphql.ts';
import { TrailLink } from '../organization/trail-link.tsx';
import { useWho } from '../organization/use-member-names.ts';
import { Action } from '../parts/action.tsx';
import { Card } from '../parts/card.tsx';
import { Listing } from '../parts/listing.tsx';
import { Page } from '../parts/page.tsx';
import { Problem } from '../parts/problem.tsx';
import { Status } from '../parts/status.tsx';
import { Time } from '../parts/time.tsx';
import { words } from '../parts/words.ts';
import { useViewer } from '../session/viewer.tsx';
import { EditPolicy } from './edit-policy.tsx';
import { Exemptions } from './exemptions.tsx';
import { appliesToText, countsText, evidenceText, ruleText } from './policy-words.ts';
import { Remedies } from './remedies.tsx';
import { ResultActions } from './result-actions.tsx';

const route = getRouteApi('/governance/policies/$id');

type PolicyVersion = PolicyDetailQuery['policyHistory'][number];

/** One policy: where it holds and why not, what mends it, and how it came to be. */
export default function PolicyPage() {
  const { id } = route.useParams();
  return <Shown key={id} id={id} />;
}

function Shown({ id }: { id: string }) {
  const { may } = useViewer();
  const navigate = useNavigate();
  const { data, told, read } = useRead(PolicyDetailDocument, { variables: { id } });
  const who = useWho();
  const [begun, setBegun] = useState<{ key: number } & Pick<PolicyVersion, 'rule' | 'appliesTo'>>();
  const editor = useRef<HTMLButtonElement>(null);
  const isManager = may('governance.policy.manage');
  if (!data) {
    if (!told) return <p role="status">Reading the policy…</p>;
    return told.code === 'NOT_FOUND' ? <NoSuchPage /> : <Problem told={told} retry={read} />;
  }
  const { policy, policyHistory } = data;
  const begin = (from: Pick<PolicyVersion, 'rule' | 'appliesTo'>) =>
    setBegun((before) => ({ key: (before?.key ?? 0) + 1, rule: from.rule, appliesTo: from.appliesTo }));
  return (
    <Page
      title={policy.name}
      actions={
        <>
          {isManager && (
            <>
              <button ref={editor} type="button" onClick={() => begin(policy)}>
                Edit
              </button>
              <Action
                document={DeletePolicyDocument}
                variables={{ id }}
                text="Delete"
                label={`Delete ${policy.name}`}
                confirm="It is judged no longer, and its alerts end. Its history stays in the audit trail."
                done={`${policy.name} is deleted.`}
                onDone={() => void navigate({ to: '/governance' })}
              />
            </>
          )}
          <TrailLink target={id} />
        </>
      }
    >
      <Problem told={told} retry={read} />
      <div className="cards">
        <Card title="Rule">
          <p>
            <code>{ruleText(policy.rule)}</code>
          </p>
          <p>
            {words(policy.enforcement)}, {words(policy.severity).toLowerCase()}, for{' '}
            {appliesToText(policy.appliesTo)}: {countsText(policy)}
          </p>
          {policy.suspendedReason && <p>{policy.suspendedReason}</p>}
          {policy.description && <p>{policy.description}</p>}
          {policy.resolution && <p>Where it does not hold: {policy.resolution}</p>}
          {policy.remediation && (
            <p>
              {words(policy.remediation.command)} mends it
              {policy.remediation.isAutomatic ? ', and is sent by itself' : ''}.
            </p>
          )}
        </Card>
        {begun && (
          <EditPolicy
            key={begun.key}
            policy={policy}
            begun={begun}
            onClose={() => {
              setBegun(undefined);
              // What had the focus is gone.
              editor.current?.focus();
            }}
            onChange={read}
            onAnew={() => begin(policy)}
          />
        )}
        <Results policy={policy} onJudged={read} />
        <Listing
          title="Versions"
          rows={policyHistory}
          empty="There is no other version."
          keyOf={({ version }) => String(version)}
          render={(version) => (
            <>
              <VersionText of={version} who={who} />
              {isManager && version.version !== policy.version && (
                <button
                  type="button"
                  aria-label={`Edit from version ${version.version}`}
                  onClick={() => begin(version)}
                >
                  Edit from
                </button>
              )}
            </>
          )}
        />
      </div>
    </Page>
  );
}

function VersionText({ of, who }: { of: PolicyVersion; who: (id: string) => string }) {
  const { version, name, enforcement, severity, rule, appliesTo, changedBy, changedAt } = of;
  return (
    <div>
      Version {version}: {name}, {words(enforcement).toLowerCase()}, {words(severity).toLowerCase()}, for{' '}
      {appliesToText(appliesTo)}
      <p>
        <code>{ruleText(rule)}</code>
      </p>
      <p className="quiet">
        by {who(changedBy)} <Time at={changedAt} />
      </p>
    </div>
  );
}

interface ResultsProps {
  policy: PolicyDetailQuery['policy'];
  onJudged: () => void;
}

function Results({ policy, onJudged }: ResultsProps) {
  const { may } = useViewer();
  const exemptions = usePages(
    PolicyExemptionsDocument,
    { policyId: policy.id },
    ({ policyExemptions }) => policyExemptions,
  );
  const { rows, error, hasMore, more, reload } = usePages(
    PolicyFailuresDocument,
    { id: policy.id },
    ({ policyResults: { nodes, pageInfo } }) => ({
      nodes: nodes.map((node) => ({ ...node, id: node.instanceId })),
      pageInfo,
    }),
  );
  const { remedies: shown } = route.useSearch();
  const remedies = usePages(
    PolicyRemediationsDocument,
    { policyId: policy.id, filter: { status: shown ?? null } },
    ({ policyRemediations }) => policyRemediations,
  );
  const judgedAnew = () => {
    exemptions.reload();
    remedies.reload();
    reload();
    onJudged();
  };
  // Another may have made an exemption or ended it.
  useFollowed(ScoreChangedDocument, {}, judgedAnew, may('governance.score.read'));
  return (
    <>
      <Listing
        title="Instances"
        rows={rows}
        told={error && problemOf(error)}
        retry={reload}
        more={hasMore ? more : undefined}
        empty="Nobody is judged by it yet. Results come within seconds of the first instance that it is for."
        keyOf={(row) => row.id}
        render={({ instanceId, status, since, evidence, instance }) => (
          <>
            <div>
              <Status of={status} />{' '}
              <Link to="/instances/$id" params={{ id: instanceId }}>
                {instance?.name ?? instanceId}
              </Link>{' '}
              <Time at={since} />
              {evidence && <p>{evidenceText(evidence)}</p>}
            </div>
            <ResultActions
              policy={policy}
              instance={{ id: instanceId, name: instance?.name ?? instanceId }}
              status={status}
              onChange={judgedAnew}
            />
          </>
        )}
      />
      {(policy.remediation !== null || shown !== undefined || (remedies.rows?.length ?? 0) > 0) && (
        <Remedies pages={remedies} />
      )}
      <Exemptions
        pages={exemptions}
        names="instance"
        empty={
          may('governance.exemption.manage')
            ? 'No instance is exempt. Where one has to be without the policy for a while, exempt it above.'
            : 'No instance is exempt.'
        }
        onEnded={judgedAnew}
      />
    </>
  );
}
