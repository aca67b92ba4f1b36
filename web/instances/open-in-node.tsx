import { useState } from 'react';

import { OpenInNodeDocument } from '../generated/graphql.ts';
import { Field } from '../parts/field.tsx';
import { FormDialog } from '../parts/form-dialog.tsx';
import { textOf } from '../parts/form.ts';

/** Leads into the node itself, signed in there. */
export function OpenInNode({ id }: { id: string }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <button type="button" aria-haspopup="dialog" onClick={() => setOpen(true)}>
        Open in node
      </button>
      {isOpen && (
        <FormDialog
          title="Open in node"
          document={OpenInNodeDocument}
          variables={(form) => ({ id, reason: textOf(form, 'reason') || null })}
          submit="Open"
          done="On the way into the node."
          onClose={() => setOpen(false)}
          onDone={({ impersonateInstance }) => location.assign(impersonateInstance.sessionUrl)}
        >
          <p>You are signed in there without a password, and the audit trail keeps that you were.</p>
          <Field
            label="Reason"
            name="reason"
            maxLength={500}
            autoFocus
            hint="For the trail; may be left out."
          />
        </FormDialog>
      )}
    </>
  );
}
