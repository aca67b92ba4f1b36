import { useState } from 'react';

import {
  ConfirmTotpDocument,
  DisableTotpDocument,
  EnableTotpDocument,
  type EnableTotpMutation,
} from '../generated/graphql.ts';
import { ActionForm } from '../parts/action-form.tsx';
import { Card } from '../parts/card.tsx';
import { Field } from '../parts/field.tsx';
import { secretOf, textOf } from '../parts/form.ts';

interface SecondFactorProps {
  isOn: boolean;
  onChange: () => void;
}

/** Codes of an authenticator beside the password: put in force by the first of them. */
export function SecondFactor({ isOn, onChange }: SecondFactorProps) {
  const [made, setMade] = useState<EnableTotpMutation['enableTotp']>();
  return (
    <Card title="Second factor">
      <p>
        {isOn
          ? 'It is on: signing in takes a code of your authenticator.'
          : 'It is off: your password alone signs you in.'}
      </p>
      {made ? (
        <Confirm
          made={made}
          onDone={() => {
            setMade(undefined);
            onChange();
          }}
        />
      ) : isOn ? (
        <ActionForm
          document={DisableTotpDocument}
          variables={(form) => ({
            input: {
              currentPassword: secretOf(form, 'currentPassword'),
              code: textOf(form, 'code'),
            },
          })}
          submit="Turn it off"
          done="The second factor is off."
          onDone={onChange}
        >
          <Password />
          <Code />
        </ActionForm>
      ) : (
        <ActionForm
          document={EnableTotpDocument}
          variables={(form) => ({ input: { currentPassword: secretOf(form, 'currentPassword') } })}
          submit="Turn it on"
          done="Scan the picture, then enter a code."
          onDone={({ enableTotp }) => setMade(enableTotp)}
        >
          <Password />
        </ActionForm>
      )}
    </Card>
  );
}

function Confirm({ made, onDone }: { made: EnableTotpMutation['enableTotp']; onDone: () => void }) {
  return (
    <>
      <p>Scan this with your authenticator, or type the secret into it.</p>
      <img
        className="qr"
        src={`data:image/svg+xml,${encodeURIComponent(made.qrSvg)}`}
        alt="The secret as a QR code; it stands below as text."
      />
      <p>
        Secret: <code>{made.secret}</code>
      </p>
      <p>Keep these codes elsewhere. Each signs you in once when you have lost your authenticator:</p>
      <p>
        <code>{made.recoveryCodes.join(' ')}</code>
      </p>
      <ActionForm
        document={ConfirmTotpDocument}
        variables={(form) => ({ input: { code: textOf(form, 'code') } })}
        submit="Put it into force"
        done="The second factor is on."
        onDone={onDone}
      >
        <Code />
      </ActionForm>
    </>
  );
}

function Password() {
  return (
    <Field
      label="Your password"
      name="currentPassword"
      type="password"
      autoComplete="current-password"
      required
    />
  );
}

function Code() {
  return (
    <Field
      label="Code"
      name="code"
      autoComplete="one-time-code"
      autoCapitalize="none"
      spellCheck={false}
      required
    />
  );
}
