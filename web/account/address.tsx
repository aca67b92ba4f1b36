import {
  CancelEmailChangeDocument,
  SendEmailVerificationDocument,
  UpdateProfileDocument,
  type ProfileQuery,
} from '../generated/graphql.ts';
import { ActionForm } from '../parts/action-form.tsx';
import { Action } from '../parts/action.tsx';
import { Card } from '../parts/card.tsx';
import { Field } from '../parts/field.tsx';
import { secretOf, textOf } from '../parts/form.ts';

/** The address that somebody signs in by; another one counts once its link was opened. */
export function Address({ me, onChange }: { me: ProfileQuery['me']; onChange: () => void }) {
  const { email, emailVerified, pendingEmail } = me;
  return (
    <Card title="E-mail address">
      <p>
        {email}
        {!emailVerified && ', not confirmed yet: open the link that was mailed to you'}
      </p>
      {!emailVerified && (
        <Action
          document={SendEmailVerificationDocument}
          variables={{}}
          text="Mail the link again"
          label="Mail the link again"
          done="The link is on its way. The one before it is good no more."
        />
      )}
      {pendingEmail && (
        <>
          <p>Becomes {pendingEmail} once its link is opened.</p>
          <Action
            document={CancelEmailChangeDocument}
            variables={{}}
            text="Call it off"
            label={`Call it off: the change to ${pendingEmail}`}
            done="Your address stays as it is."
            onDone={onChange}
          />
        </>
      )}
      <ActionForm
        document={UpdateProfileDocument}
        variables={(form) => ({
          input: { email: textOf(form, 'email'), currentPassword: secretOf(form, 'currentPassword') },
        })}
        submit="Change the address"
        done="A link is mailed to the new address. It counts once that is opened."
        onDone={onChange}
      >
        <Field label="New address" name="email" type="email" autoComplete="email" required />
        <Field
          label="Password, for another address"
          name="currentPassword"
          type="password"
          autoComplete="current-password"
          required
        />
      </ActionForm>
    </Card>
  );
}
