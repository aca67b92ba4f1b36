import { Link } from '@tanstack/react-router';

import { problemOf } from '../api/problem.ts';
import { useFollowed } from '../api/use-followed.ts';
import { usePages } from '../api/use-pages.ts';
import { useRead } from '../api/use-read.ts';
import {
  InstallPolicyPackDocument,
  PoliciesDocument,
  PolicyPacksDocument,
  ScoreChangedDocument,
  type PolicyRowFragment,
  type PolicyStatus,
} from '../generated/graphql.ts';
import { Action } from '../parts/action.tsx';
import { Listing } from '../parts/listing.tsx';
import { Page } from '../parts/page.tsx';
import { Status } from '../parts/status.tsx';
import { words } from '../parts/words.ts';
import { useViewer } from '../session/viewer.tsx';
import { NewPolicy } from './new-policy.tsx';
import { appliesToText, countsText, ruleText } from './policy-words.ts';
import { GovernanceTabs } from './tabs.tsx';

/** What must hold on instances and clusters, and where it does not. */
export default function PoliciesPage() {
  const { may } = useViewer();
  const isManager = may('governance.policy.manage');
  const { rows, error, hasMore, more, reload } = usePages(PoliciesDocument, {}, ({ policies }) => policies);
  useFollowed(ScoreChangedDocument, {}, reload, may('governance.score.read'));
  return (
    <Page title="Policies" actions={<GovernanceTabs />}>
      <div className="cards">
        <Listing
          title="In force"
          rows={rows}
          told={error && problemOf(error)}
          retry={reload}
          more={hasMore ? more : undefined}
          empty={
            isManager
              ? 'There is no policy yet. Install a pack below to begin with, or write one.'
              : 'There is no policy yet.'
          }
          keyOf={({ id }) => id}
          render={(policy) => <PolicyLine policy={policy} />}
        />
        {isManager && <NewPolicy onMade={reload} />}
        {isManager && <Packs onInstalled={reload} />}
      </div>
    </Page>
  );
}

function PolicyLine({ policy }: { policy: PolicyRowFragment }) {
  const { id, name, enforcement, severity, rule, appliesTo, counts, suspendedReason } = policy;
  return (
    <div>
      <Status of={suspendedReason ? 'SUSPENDED' : stateOf(counts)} />{' '}
      <Link to="/governance/policies/$id" params={{ id }}>
        {name}
      </Link>{' '}
      {words(enforcement)}, {words(severity).toLowerCase()}
      <p>
        <code>{ruleText(rule)}</code>
      </p>
      <p className="quiet">
        For {appliesToText(appliesTo)}: {countsText(policy)}
      </p>
      {suspendedReason && <p>{suspendedReason}</p>}
    </div>
  );
}

function stateOf({ failing, passing }: PolicyRowFragment['counts']): PolicyStatus {
  if (failing > 0) return 'FAIL';
  return passing > 0 ? 'PASS' : 'UNKNOWN';
}

function Packs({ onInstalled }: { onInstalled: () => void }) {
  const { data, told, read } = useRead(PolicyPacksDocument);
  return (
    <Listing
      title="Packs"
      rows={data?.policyPacks}
      told={told}
      retry={read}
      empty="This panel has none."
      keyOf={({ id }) => id}
      render={({ id, name, description, policyNames }) => (
        <>
          <div>
            <strong>{name}</strong>
            <p>{description}</p>
            <p className="quiet">{policyNames.join(', ')}</p>
          </div>
          <Action
            document={InstallPolicyPackDocument}
            variables={{ id }}
            text="Install"
            label={`Install ${name}`}
            done={`${name} is installed.`}
            onDone={onInstalled}
          />
        </>
      )}
    />
  );
}
