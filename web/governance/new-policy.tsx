import { CreatePolicyDocument } from '../generated/graphql.ts';
import { ActionForm } from '../parts/action-form.tsx';
import { Card } from '../parts/card.tsx';
import { PolicyFields, policyOf, useDraft } from './policy-fields.tsx';

/** A policy, and whom it would hit, before it is in force. */
export function NewPolicy({ onMade }: { onMade: () => void }) {
  const draft = useDraft();
  return (
    <Card title="New policy" className="wide">
      <ActionForm
        document={CreatePolicyDocument}
        variables={(form) => ({ input: { ...policyOf(form), ...draft.wanted } })}
        submit="Put it into force"
        done="The policy is in force."
        isDisabled={!draft.hasFacts}
        onDone={onMade}
      >
        <PolicyFields draft={draft} />
      </ActionForm>
    </Card>
  );
}
