import { useState } from 'react';

import {
  CreateEnrollmentTokenDocument,
  type CreateEnrollmentTokenMutation,
  type TokenRowFragment,
} from '../generated/graphql.ts';
import { ActionForm } from '../parts/action-form.tsx';
import { Card } from '../parts/card.tsx';
import { Field } from '../parts/field.tsx';
import { textOf, wordsIn } from '../parts/form.ts';
import { Arrivals } from './arrivals.tsx';
import { Copied } from './copied.tsx';

type Made = CreateEnrollmentTokenMutation['createEnrollmentToken'];

interface NewTokenProps {
  cursor: string | undefined;
  onMade: (token: TokenRowFragment) => void;
}

/** Makes a token, shows it once, and waits for the nodes that come by it. */
export function NewToken({ cursor, onMade }: NewTokenProps) {
  const [made, setMade] = useState<Made>();
  if (made) return <Waiting made={made} cursor={cursor} onDone={() => setMade(undefined)} />;
  return (
    <Card title="Enroll nodes" className="wide">
      <ActionForm
        document={CreateEnrollmentTokenDocument}
        variables={(form) => {
          const uses = textOf(form, 'maxUses');
          return {
            input: {
              name: textOf(form, 'name'),
              expiresInHours: Number(form.get('expiresInHours')),
              maxUses: uses === '' ? null : Number(uses),
              tags: wordsIn(textOf(form, 'tags')),
            },
          };
        }}
        submit="Make a token"
        done="The token is made."
        onDone={({ createEnrollmentToken }) => {
          setMade(createEnrollmentToken);
          onMade(createEnrollmentToken.enrollmentToken);
        }}
      >
        <Field
          label="Name of the token"
          name="name"
          required
          maxLength={200}
          hint="What it is for, as in: office Berlin."
        />
        <Field
          label="Good for, in hours"
          name="expiresInHours"
          type="number"
          min={1}
          max={8760}
          defaultValue={24}
          required
        />
        <Field
          label="Uses, at most"
          name="maxUses"
          type="number"
          min={1}
          hint="Left empty: as many as the plan has room for."
        />
        <Field label="Tags of its nodes" name="tags" hint="Separated by commas; may be left empty." />
      </ActionForm>
    </Card>
  );
}

interface WaitingProps {
  made: Made;
  cursor: string | undefined;
  onDone: () => void;
}

function Waiting({ made, cursor, onDone }: WaitingProps) {
  const line = `npm run agent -- --panel ${location.origin} --token ${made.token}`;
  return (
    <Card title="Enroll nodes" className="wide">
      <p>The token is shown this once. Copy it now; who has it can add nodes to your fleet.</p>
      <Copied label="Token" text={made.token} />
      <p>On the node, or on any machine with the reference agent:</p>
      <Copied label="Line to paste" text={line} />
      <Arrivals since={made.enrollmentToken.createdAt} cursor={cursor} />
      <button type="button" onClick={onDone}>
        Make another token
      </button>
    </Card>
  );
}
