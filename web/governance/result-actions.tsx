import { useState } from 'react';

import { RemediatePolicyDocument, type PolicyRowFragment, type PolicyStatus } from '../generated/graphql.ts';
import { Action } from '../parts/action.tsx';
import { words } from '../parts/words.ts';
import { useViewer } from '../session/viewer.tsx';
import { NewExemption } from './exemptions.tsx';

interface ResultActionsProps {
  policy: Pick<PolicyRowFragment, 'id' | 'name'> & { remediation: { command: string } | null };
  instance: { id: string; name: string };
  status: PolicyStatus;
  onChange: () => void;
}

/** What can be done about a policy on one instance: mend what does not hold, or let the instance be without it. */
export function ResultActions({ policy, instance, status, onChange }: ResultActionsProps) {
  const { may } = useViewer();
  const [isExempting, setExempting] = useState(false);
  const { remediation } = policy;
  return (
    <div className="actions">
      {status === 'FAIL' && remediation && may('governance.remediation.run') && (
        <Action
          document={RemediatePolicyDocument}
          variables={{ input: { policyId: policy.id, instanceIds: [instance.id] } }}
          text={words(remediation.command)}
          label={`${words(remediation.command)} ${instance.name}, as ${policy.name} says`}
          confirm="The instance is sent the command that the policy names."
          done="The remedy is on its way."
          onDone={onChange}
        />
      )}
      {status !== 'EXEMPT' && may('governance.exemption.manage') && (
        <button
          type="button"
          aria-haspopup="dialog"
          aria-label={`Exempt ${instance.name} from ${policy.name}`}
          onClick={() => setExempting(true)}
        >
          Exempt
        </button>
      )}
      {isExempting && (
        <NewExemption
          policy={policy}
          instance={instance}
          onClose={() => setExempting(false)}
          onMade={onChange}
        />
      )}
    </div>
  );
}
