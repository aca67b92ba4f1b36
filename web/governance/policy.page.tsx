import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';

import { problemOf } from '../api/problem.ts';
import { useFollowed } from '../api/use-followed.ts';
import { usePages } from '../api/use-pages.ts';
import { useRead } from '../api/use-read.ts';
import { NoSuchPage } from '../app/no-such-page.tsx';
import {
  DeletePolicyDocument,
  PolicyDetailDocument,
  PolicyFailuresDocument,
  RemediatePolicyDocument,
  ScoreChangedDocument,
  UpdatePolicyDocument,
  type PolicyDetailQuery,
  type PolicyEnforcement,
} from '../generated/graphql.ts';
import { ActionForm } from '../parts/action-form.tsx';
import { Action } from '../parts/action.tsx';
import { Card } from '../parts/card.tsx';
import { Select } from '../parts/field.tsx';
import { textOf } from '../parts/form.ts';
import { Listing } from '../parts/listing.tsx';
import { Page } from '../parts/page.tsx';
import { Problem } from '../parts/problem.tsx';
import { Status } from '../parts/status.tsx';
import { Time } from '../parts/time.tsx';
import { words } from '../parts/words.ts';
import { useViewer } from '../session/viewer.tsx';
import { appliesToText, countsText, evidenceText, ruleText } from './policy-words.ts';

const route = getRouteApi('/governance/policies/$id');
const enforcements = ['ADVISORY', 'MANDATORY', 'DISABLED'].map((value) => ({ value, text: words(value) }));

/** One policy: where it holds and why not, what mends it, and how it came to be. */
export default function PolicyPage() {
  const { id } = route.useParams();
  const { may } = useViewer();
  const navigate = useNavigate();
  const { data, told, read } = useRead(PolicyDetailDocument, { variables: { id } });
  const isManager = may('governance.policy.manage');
  if (!data) {
    if (!told) return <p role="status">Reading the policy…</p>;
    return told.code === 'NOT_FOUND' ? <NoSuchPage /> : <Problem told={told} retry={read} />;
  }
  const { policy, policyHistory } = data;
  return (
    <Page
      title={policy.name}
      actions={
        isManager && (
          <Action
            document={DeletePolicyDocument}
            variables={{ id }}
            text="Delete"
            label={`Delete ${policy.name}`}
            confirm="It is judged no longer, and its alerts end. Its history stays in the audit trail."
            done={`${policy.name} is deleted.`}
            onDone={() => void navigate({ to: '/governance' })}
          />
        )
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
          {policy.description && <p>{policy.description}</p>}
          {policy.resolution && <p>Where it does not hold: {policy.resolution}</p>}
        </Card>
        {isManager && (
          <Card title="Enforcement">
            <ActionForm
              document={UpdatePolicyDocument}
              variables={(form) => ({
                id,
                input: { enforcement: textOf(form, 'enforcement') as PolicyEnforcement },
              })}
              submit="Change the enforcement"
              done="The enforcement is changed."
              onDone={read}
            >
              <Select
                key={policy.version}
                label="Enforcement"
                name="enforcement"
                options={enforcements}
                defaultValue={policy.enforcement}
              />
            </ActionForm>
          </Card>
        )}
        <Results policy={policy} onJudged={read} />
        <Listing
          title="Versions"
          rows={policyHistory}
          empty="There is no other version."
          keyOf={({ version }) => String(version)}
          render={({ version, enforcement, severity, changedBy, changedAt }) => (
            <div>
              Version {version}: {words(enforcement)}, {words(severity).toLowerCase()}, by{' '}
              <code>{changedBy}</code> <Time at={changedAt} />
            </div>
          )}
        />
      </div>
    </Page>
  );
}

interface ResultsProps {
  policy: PolicyDetailQuery['policy'];
  onJudged: () => void;
}

function Results({ policy: { id, name, remediation }, onJudged }: ResultsProps) {
  const { may } = useViewer();
  const { rows, error, hasMore, more, reload } = usePages(
    PolicyFailuresDocument,
    { id },
    ({ policyResults: { nodes, pageInfo } }) => ({
      nodes: nodes.map((node) => ({ ...node, id: node.instanceId })),
      pageInfo,
    }),
  );
  useFollowed(
    ScoreChangedDocument,
    {},
    () => {
      reload();
      onJudged();
    },
    may('governance.score.read'),
  );
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
                {instance.name}
              </Link>{' '}
              <Time at={since} />
              {evidence && <p>{evidenceText(evidence)}</p>}
            </div>
            {status === 'FAIL' && remediation && may('governance.remediation.run') && (
              <Action
                document={RemediatePolicyDocument}
                variables={{ input: { policyId: id, instanceIds: [instanceId] } }}
                text={words(remediation.command)}
                label={`${words(remediation.command)} ${instance.name}, as ${name} says`}
                confirm="The instance is sent the command that the policy names."
                done="The remedy is on its way."
                onDone={reload}
              />
            )}
          </>
        )}
      />
    </>
  );
}
