import { useState } from 'react';

import { useRead } from '../api/use-read.ts';
import { Copied } from '../enrollment/copied.tsx';
import { ApiKeyPermissionsDocument, CreateApiKeyDocument } from '../generated/graphql.ts';
import { ActionForm } from '../parts/action-form.tsx';
import { Card } from '../parts/card.tsx';
import { Field } from '../parts/field.tsx';
import { secretOf, textOf } from '../parts/form.ts';
import { Problem } from '../parts/problem.tsx';
import { count } from '../parts/words.ts';

/** Makes a key and shows it once. */
export function NewApiKey({ onMade }: { onMade: () => void }) {
  const { data, told, read } = useRead(ApiKeyPermissionsDocument);
  const [chosen, setChosen] = useState<readonly string[]>([]);
  const [made, setMade] = useState<string>();
  if (made !== undefined) {
    return (
      <Card title="New key">
        <p>The key is shown this once. Copy it now; who has it can do what it may do.</p>
        <Copied label="Key" text={made} />
        <button type="button" onClick={() => setMade(undefined)}>
          Make another key
        </button>
      </Card>
    );
  }
  return (
    <Card title="New key">
      <Problem told={told} retry={read} />
      <ActionForm
        document={CreateApiKeyDocument}
        variables={(form) => ({
          input: {
            name: textOf(form, 'name'),
            permissions: [...chosen],
            expiresInDays: Number(form.get('days')),
            currentPassword: secretOf(form, 'currentPassword'),
          },
        })}
        submit="Make a key"
        done="The key is made."
        isDisabled={chosen.length === 0}
        onDone={({ createApiKey }) => {
          setMade(createApiKey.key);
          setChosen([]);
          onMade();
        }}
      >
        <Field label="Name of the key" name="name" required maxLength={100} hint="What it is for." />
        <Field
          label="Good for, in days"
          name="days"
          type="number"
          min={1}
          max={365}
          defaultValue={90}
          required
        />
        <details>
          <summary>What it may do: {chosen.length === 0 ? 'choose' : count(chosen.length)}</summary>
          <fieldset>
            <legend>Permissions</legend>
            {data?.apiKeyPermissions.map((permission) => (
              <label key={permission} className="check">
                <input
                  type="checkbox"
                  checked={chosen.includes(permission)}
                  onChange={({ target }) =>
                    setChosen(
                      target.checked ? [...chosen, permission] : chosen.filter((one) => one !== permission),
                    )
                  }
                />{' '}
                {permission}
              </label>
            ))}
          </fieldset>
        </details>
        <Field
          label="Your password"
          name="currentPassword"
          type="password"
          autoComplete="current-password"
          required
          hint="A key outlives your session, so it is asked again."
        />
      </ActionForm>
    </Card>
  );
}
