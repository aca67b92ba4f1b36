import { useState } from 'react';
import { useMutation } from 'urql';

import { problemOf } from '../api/problem.ts';
import { OpenInNodeDocument } from '../generated/graphql.ts';
import { Dialog } from '../parts/dialog.tsx';
import { Field } from '../parts/field.tsx';
import { textOf } from '../parts/form.ts';
import { Problem } from '../parts/problem.tsx';

/** Leads into the node itself, signed in there. */
export function OpenInNode({ id }: { id: string }) {
  const [isOpen, setOpen] = useState(false);
  const [{ fetching, error }, ask] = useMutation(OpenInNodeDocument);
  const go = async (form: FormData) => {
    const { data } = await ask({ id, reason: textOf(form, 'reason') || null });
    if (data) location.assign(data.impersonateInstance.sessionUrl);
  };
  return (
    <>
      <button type="button" aria-haspopup="dialog" onClick={() => setOpen(true)}>
        Open in node
      </button>
      {isOpen && (
        <Dialog title="Open in node" onClose={() => setOpen(false)}>
          <form
            onSubmit={(event) => {
              event.preventDefault();
              void go(new FormData(event.currentTarget));
            }}
          >
            <p>You are signed in there without a password, and the audit trail keeps that you were.</p>
            <Field
              label="Reason"
              name="reason"
              maxLength={500}
              autoFocus
              hint="For the trail; may be left out."
            />
            <Problem told={error && problemOf(error, 'change')} />
            <div className="actions">
              <button className="main" disabled={fetching}>
                Open
              </button>
              <button type="button" onClick={() => setOpen(false)}>
                Cancel
              </button>
            </div>
          </form>
        </Dialog>
      )}
    </>
  );
}
