import {
  ApprovePartnerDocument,
  RejectPartnerDocument,
  SuspendPartnerDocument,
  type PartnerRowFragment,
} from '../generated/graphql.ts';
import { Action } from '../parts/action.tsx';
import { useViewer } from '../session/viewer.tsx';

interface PartnerActionsProps {
  partner: Pick<PartnerRowFragment, 'id' | 'name' | 'status'>;
  onChange: () => void;
}

/** What whoever runs the panel decides about a partner. */
export function PartnerActions({ partner: { id, name, status }, onChange }: PartnerActionsProps) {
  const { may } = useViewer();
  if (!may('billing.partner.decide')) return null;
  const isWaiting = status === 'PENDING' || status === 'SUSPENDED';
  return (
    <div className="actions">
      {isWaiting && (
        <Action
          document={ApprovePartnerDocument}
          variables={{ input: { id } }}
          text="Approve"
          label={`Approve ${name}`}
          done={`${name} is approved.`}
          onDone={onChange}
          isMain
        />
      )}
      {status === 'PENDING' && (
        <Action
          document={RejectPartnerDocument}
          variables={{ id }}
          text="Reject"
          label={`Reject ${name}`}
          confirm="They may register again."
          done={`${name} is rejected.`}
          onDone={onChange}
        />
      )}
      {status === 'APPROVED' && (
        <Action
          document={SuspendPartnerDocument}
          variables={{ id }}
          text="Suspend"
          label={`Suspend ${name}`}
          confirm="Its tier and commission end at once, and within a minute the discount of its customers. It can be approved again."
          done={`${name} is suspended.`}
          onDone={onChange}
        />
      )}
    </div>
  );
}
