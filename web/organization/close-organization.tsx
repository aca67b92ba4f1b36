import { useState } from 'react';

import { CloseOrganizationDocument } from '../generated/graphql.ts';
import { Card } from '../parts/card.tsx';
import { Field } from '../parts/field.tsx';
import { FormDialog } from '../parts/form-dialog.tsx';
import { secretOf, textOf } from '../parts/form.ts';
import { leave } from '../session/session.ts';
import { useViewer } from '../session/viewer.tsx';

/** The end of the organization, by one of its owners. */
export function CloseOrganization() {
  const { me } = useViewer();
  const [isClosing, setClosing] = useState(false);
  const { name } = me.tenant;
  return (
    <Card title="Close the organization">
      <p>
        Nobody can sign in any more, its nodes and keys are refused, and its subscription ends at once,
        without money back. All that it has is erased 30 days later. Until then each owner can take it back,
        by a link that is mailed to them, but not the subscription.
      </p>
      <button type="button" aria-haspopup="dialog" onClick={() => setClosing(true)}>
        Close the organization
      </button>
      {isClosing && (
        <FormDialog
          title={`Close ${name}?`}
          document={CloseOrganizationDocument}
          variables={(form) => ({
            input: {
              currentPassword: secretOf(form, 'currentPassword'),
              ...(me.totpEnabled ? { code: textOf(form, 'code') } : {}),
            },
          })}
          submit="Close it"
          done={`${name} is closed. Its owners are mailed how to take that back.`}
          onClose={() => setClosing(false)}
          // The session has ended with it.
          onDone={() => leave(() => location.reload())}
        >
          <p>A copy of what it has can be made on this page before.</p>
          <Field
            label="Its name, to be sure"
            name="name"
            required
            autoComplete="off"
            pattern={exactly(name)}
            title={name}
            hint={`Type ${name}.`}
          />
          <Field
            label="Your password"
            name="currentPassword"
            type="password"
            autoComplete="current-password"
            required
          />
          {me.totpEnabled && (
            <Field label="One-time or recovery code" name="code" autoComplete="one-time-code" required />
          )}
        </FormDialog>
      )}
    </Card>
  );
}

/** The pattern of a field that takes this text and nothing else. */
function exactly(text: string): string {
  return text.replace(/[\^$\\.*+?()[\]{}|/]/g, String.raw`\$&`);
}
