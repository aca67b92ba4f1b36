import { useState } from 'react';

import { UpdatePolicyDocument, type PolicyRowFragment } from '../generated/graphql.ts';
import { ActionForm } from '../parts/action-form.tsx';
import { Card } from '../parts/card.tsx';
import { changedOf } from '../parts/changed.ts';
import { PolicyFields, policyOf, settingsOf, useDraft } from './policy-fields.tsx';

interface EditPolicyProps {
  policy: PolicyRowFragment;
  /** What it begins with: as it is, or as it was in an earlier version. */
  begun: Pick<PolicyRowFragment, 'rule' | 'appliesTo'>;
  onClose: () => void;
  onChange: () => void;
  /** Begins with the policy as it is now. */
  onAnew: () => void;
}

/** A policy that is there, and whom it would hit, before the change is in force. What was not touched is not sent. */
export function EditPolicy({ policy, begun, onClose, onChange, onAnew }: EditPolicyProps) {
  const draft = useDraft(begun);
  const [before] = useState(policy);
  const settings = settingsOf(before);
  const isOtherRule = 'rule' in changedOf({ rule: settings.rule }, { rule: draft.wanted.rule });
  return (
    <Card title="Edit the policy" className="wide">
      <div role="status">
        {policy.version !== before.version && (
          <>
            <p>
              It was changed meanwhile: version {policy.version} is in force, and this began with version{' '}
              {before.version}. What you have changed here takes the place of what is in force; the rest stays
              as it is now.
            </p>
            <button type="button" onClick={onAnew}>
              Begin anew with version {policy.version}
            </button>
          </>
        )}
      </div>
      <ActionForm
        document={UpdatePolicyDocument}
        variables={(form) => ({
          id: policy.id,
          input: changedOf(settings, { ...policyOf(form, before), ...draft.wanted }),
        })}
        submit="Put the change into force"
        done="The change is in force."
        isDisabled={isOtherRule && !draft.hasFacts}
        onCancel={onClose}
        onDone={() => {
          onClose();
          onChange();
        }}
      >
        <PolicyFields draft={draft} policy={before} />
      </ActionForm>
    </Card>
  );
}
