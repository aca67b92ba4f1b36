import { Link } from '@tanstack/react-router';

import { problemOf } from '../api/problem.ts';
import { useDue } from '../api/use-due.ts';
import type { usePages } from '../api/use-pages.ts';
import {
  CreatePolicyExemptionDocument,
  DeletePolicyExemptionDocument,
  type PolicyExemptionsQuery,
} from '../generated/graphql.ts';
import { lastMoment } from '../maintenance/zones.ts';
import { Action } from '../parts/action.tsx';
import { Field, LongField } from '../parts/field.tsx';
import { FormDialog } from '../parts/form-dialog.tsx';
import { textOf } from '../parts/form.ts';
import { Listing } from '../parts/listing.tsx';
import { exactTime, Time } from '../parts/time.tsx';
import { useViewer } from '../session/viewer.tsx';

type Exemption = PolicyExemptionsQuery['policyExemptions']['nodes'][number];
type Pages = Omit<ReturnType<typeof usePages>, 'rows' | 'put'> & { rows: readonly Exemption[] | undefined };

interface ExemptionsProps {
  pages: Pages;
  empty: string;
  /** What the page is not about, and each of them names. */
  names: 'instance' | 'policy';
  onEnded: () => void;
}

/** Which instances need not have which policy, who answers for that, and until when. */
export function Exemptions({ pages, empty, names, onEnded }: ExemptionsProps) {
  const { may } = useViewer();
  const { rows, error, hasMore, more, reload } = pages;
  const now = Date.now();
  const hasEnded = ({ expiresAt }: Exemption) => expiresAt !== null && new Date(expiresAt).getTime() <= now;
  useDue(
    rows?.flatMap((exemption) => (hasEnded(exemption) ? [] : [exemption.expiresAt])) ?? [],
    rows,
    reload,
  );
  return (
    <Listing
      title="Exemptions"
      rows={rows}
      told={error && problemOf(error)}
      retry={reload}
      more={hasMore ? more : undefined}
      empty={empty}
      keyOf={({ id }) => id}
      render={(exemption) => {
        const { id, instanceId, instance, policyId, policy, owner, reason, expiresAt, createdAt } = exemption;
        const name = instance?.name ?? instanceId;
        const what = `the exemption of ${name} from ${policy?.name ?? policyId}`;
        return (
          <>
            <div>
              {names === 'instance' ? (
                <Link to="/instances/$id" params={{ id: instanceId }}>
                  {name}
                </Link>
              ) : (
                <Link to="/governance/policies/$id" params={{ id: policyId }}>
                  {policy?.name ?? policyId}
                </Link>
              )}
              : {reason}
              <p className="quiet">
                {owner} answers for it,{' '}
                {expiresAt === null
                  ? 'without an end'
                  : `${hasEnded(exemption) ? 'ended' : 'until'} ${exactTime(expiresAt)}`}
                ; made <Time at={createdAt} />
              </p>
            </div>
            {may('governance.exemption.manage') && (
              <Action
                document={DeletePolicyExemptionDocument}
                variables={{ id }}
                text={hasEnded(exemption) ? 'Forget' : 'End it'}
                label={hasEnded(exemption) ? `Forget ${what}` : `End it: ${what}`}
                confirm="The policy counts on the instance like on any other."
                done={`${name} is not exempt from it any more.`}
                onDone={onEnded}
              />
            )}
          </>
        );
      }}
    />
  );
}

interface NewExemptionProps {
  policy: { id: string; name: string };
  instance: { id: string; name: string };
  onClose: () => void;
  onMade: () => void;
}

/** Lets one instance be without the policy, with somebody who answers for it. */
export function NewExemption({ policy, instance: { id, name }, onClose, onMade }: NewExemptionProps) {
  const { me } = useViewer();
  return (
    <FormDialog
      title={`Exempt ${name} from ${policy.name}`}
      document={CreatePolicyExemptionDocument}
      variables={(form) => {
        const end = textOf(form, 'expiresAt');
        return {
          input: {
            policyId: policy.id,
            instanceId: id,
            owner: textOf(form, 'owner'),
            reason: textOf(form, 'reason'),
            // Without a zone in it the browser takes it for a time by the reader's clocks.
            expiresAt: end ? new Date(end).toISOString() : null,
          },
        };
      }}
      submit="Exempt it"
      done={`${name} is exempt from ${policy.name}.`}
      onClose={onClose}
      onDone={onMade}
    >
      <p>It neither counts in its score nor is refused anything for this policy meanwhile.</p>
      <Field label="Who answers for it" name="owner" required maxLength={200} defaultValue={me.name} />
      <LongField label="Why" name="reason" rows={2} required maxLength={500} />
      <Field
        label="Until"
        name="expiresAt"
        type="datetime-local"
        max={lastMoment}
        hint="By your clocks. Left empty it does not end by itself."
      />
    </FormDialog>
  );
}
