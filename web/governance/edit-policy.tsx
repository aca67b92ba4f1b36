import { UpdatePolicyDocument, type PolicyRowFragment } from '../generated/graphql.ts';
import { ActionForm } from '../parts/action-form.tsx';
import { Card } from '../parts/card.tsx';
import { PolicyFields, policyOf, useDraft } from './policy-fields.tsx';

interface EditPolicyProps {
  policy: PolicyRowFragment;
  /** What it begins with: as it is, or as it was in an earlier version. */
  begun: Pick<PolicyRowFragment, 'rule' | 'appliesTo'>;
  onClose: () => void;
  onChange: () => void;
}

/** A policy that is there, and whom it would hit, before the change is in force. */
export function EditPolicy({ policy, begun, onClose, onChange }: EditPolicyProps) {
  const draft = useDraft(begun);
  return (
    <Card title="Edit the policy" className="wide">
      <ActionForm
        document={UpdatePolicyDocument}
        variables={(form) => ({ id: policy.id, input: { ...policyOf(form, policy), ...draft.wanted } })}
        submit="Put the change into force"
        done="The change is in force."
        onCancel={onClose}
        onDone={() => {
          onClose();
          onChange();
        }}
      >
        <PolicyFields draft={draft} policy={policy} />
      </ActionForm>
    </Card>
  );
}
