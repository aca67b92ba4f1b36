import { useState } from 'react';

import {
  ConfirmTotpDocument,
  DisableTotpDocument,
  EnableTotpDocument,
  RegenerateRecoveryCodesDocument,
  type EnableTotpMutation,
  type ProfileQuery,
} from '../generated/graphql.ts';
import { ActionForm } from '../parts/action-form.tsx';
import { Card } from '../parts/card.tsx';
import { Field } from '../parts/field.tsx';
import { secretOf, textOf } from '../parts/form.ts';

interface SecondFactorProps {
  me: ProfileQuery['me'];
  onChange: () => void;
}

/** Codes of an authenticator beside the password: put in force by the first of them. */
export function SecondFactor({ me, onChange }: SecondFactorProps) {
  const { totpEnabled: isOn, recoveryCodesLeft } = me;
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
        <>
          <NewRecoveryCodes left={recoveryCodesLeft ?? 0} onChange={onChange} />
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
        </>
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
      <RecoveryCodes codes={made.recoveryCodes} />
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

/** What stands in for a lost authenticator: how many are left, and new ones. */
function NewRecoveryCodes({ left, onChange }: { left: number; onChange: () => void }) {
  const [made, setMade] = useState<readonly string[]>();
  return (
    <>
      <p>{left === 1 ? '1 recovery code is left.' : `${left} recovery codes are left.`}</p>
      {made && <RecoveryCodes codes={made} />}
      <details>
        <summary>Make new recovery codes</summary>
        <p>Those from before work no more.</p>
        <ActionForm
          document={RegenerateRecoveryCodesDocument}
          variables={(form) => ({
            input: {
              currentPassword: secretOf(form, 'currentPassword'),
              code: textOf(form, 'code'),
            },
          })}
          submit="Make new recovery codes"
          done="The new codes stand above. They are shown this once."
          onDone={({ regenerateRecoveryCodes }) => {
            setMade(regenerateRecoveryCodes.recoveryCodes);
            onChange();
          }}
        >
          <Password />
          <Code />
        </ActionForm>
      </details>
    </>
  );
}

function RecoveryCodes({ codes }: { codes: readonly string[] }) {
  return (
    <>
      <p>Keep these codes elsewhere. Each signs you in once when you have lost your authenticator:</p>
      <p>
        <code>{codes.join(' ')}</code>
      </p>
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
