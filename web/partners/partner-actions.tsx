import { useState } from 'react';

import {
  ApprovePartnerDocument,
  RejectPartnerDocument,
  SuspendPartnerDocument,
  type PartnerRowFragment,
} from '../generated/graphql.ts';
import { Action } from '../parts/action.tsx';
import { Field } from '../parts/field.tsx';
import { FormDialog } from '../parts/form-dialog.tsx';
import { useViewer } from '../session/viewer.tsx';
import { Registrant } from './registrant.tsx';

interface PartnerActionsProps {
  partner: Pick<PartnerRowFragment, 'id' | 'tenantId' | 'name' | 'status' | 'commissionPercent'>;
  onChange: () => void;
}

/** What whoever runs the panel decides about a partner. */
export function PartnerActions({ partner, onChange }: PartnerActionsProps) {
  const { id, name, status } = partner;
  const { may } = useViewer();
  const [isAgreeing, setAgreeing] = useState(false);
  if (!may('billing.partner.decide')) return null;
  const isApproved = status === 'APPROVED';
  const agree = isApproved ? 'Change the commission' : 'Approve';
  return (
    <div className="actions">
      {status !== 'REJECTED' && (
        <button
          type="button"
          className={isApproved ? undefined : 'main'}
          aria-haspopup="dialog"
          aria-label={isApproved ? `Change the commission of ${name}` : `Approve ${name}`}
          onClick={() => setAgreeing(true)}
        >
          {agree}
        </button>
      )}
      {isAgreeing && (
        <FormDialog
          title={isApproved ? `Change the commission of ${name}` : `Approve ${name}`}
          document={ApprovePartnerDocument}
          variables={(form) => ({ input: { id, commissionPercent: Number(form.get('commissionPercent')) } })}
          submit={agree}
          done={isApproved ? `The commission of ${name} is changed.` : `${name} is approved.`}
          onDone={onChange}
          onClose={() => setAgreeing(false)}
        >
          <Registrant tenantId={partner.tenantId} />
          <Field
            label="Commission, in percent"
            name="commissionPercent"
            type="number"
            min={0}
            max={100}
            required
            defaultValue={partner.commissionPercent}
            hint="Of what its customers pay from now on. What was paid before stays as it was booked."
          />
        </FormDialog>
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
      {isApproved && (
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
