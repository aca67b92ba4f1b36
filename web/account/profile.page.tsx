import { problemOf } from '../api/problem.ts';
import { usePages } from '../api/use-pages.ts';
import { useRead } from '../api/use-read.ts';
import {
  ChangePasswordDocument,
  ProfileDocument,
  RevokeOtherSessionsDocument,
  RevokeSessionDocument,
  SessionsDocument,
  UpdateProfileDocument,
} from '../generated/graphql.ts';
import { ActionForm } from '../parts/action-form.tsx';
import { Action } from '../parts/action.tsx';
import { Card } from '../parts/card.tsx';
import { Field } from '../parts/field.tsx';
import { secretOf, textOf } from '../parts/form.ts';
import { Listing } from '../parts/listing.tsx';
import { Page } from '../parts/page.tsx';
import { Problem } from '../parts/problem.tsx';
import { Time } from '../parts/time.tsx';
import { Address } from './address.tsx';
import { SecondFactor } from './second-factor.tsx';

/** Whoever is signed in: name, password, second factor, and where else they are signed in. */
export default function ProfilePage() {
  const { data, told, read } = useRead(ProfileDocument);
  const sessions = useSessions();
  return (
    <Page title="Your account">
      <Problem told={told} retry={read} />
      <div className="cards">
        {data && (
          <Card title="Name">
            <ActionForm
              document={UpdateProfileDocument}
              variables={(form) => ({ input: { name: textOf(form, 'name') } })}
              submit="Change the name"
              done="Your name is changed."
              onDone={read}
              keepsFilled
            >
              <Field
                label="Your name"
                name="name"
                required
                maxLength={200}
                autoComplete="name"
                defaultValue={data.me.name}
              />
            </ActionForm>
          </Card>
        )}
        {data && <Address me={data.me} onChange={read} />}
        <Card title="Password">
          <ActionForm
            document={ChangePasswordDocument}
            variables={(form) => ({
              input: {
                currentPassword: secretOf(form, 'currentPassword'),
                newPassword: secretOf(form, 'newPassword'),
              },
            })}
            submit="Change the password"
            done="Your password is changed. Your other sessions have ended."
            onDone={sessions.reload}
          >
            <Field
              label="Password now"
              name="currentPassword"
              type="password"
              autoComplete="current-password"
              required
            />
            <Field
              label="New password"
              name="newPassword"
              type="password"
              autoComplete="new-password"
              minLength={12}
              required
              hint="At least 12 characters."
            />
          </ActionForm>
        </Card>
        {data && <SecondFactor me={data.me} onChange={read} />}
        <Sessions pages={sessions} />
      </div>
    </Page>
  );
}

const useSessions = () => usePages(SessionsDocument, {}, ({ sessions }) => sessions);

function Sessions({ pages }: { pages: ReturnType<typeof useSessions> }) {
  const { rows, error, hasMore, more, reload } = pages;
  const open = rows?.filter(({ revokedAt }) => revokedAt === null);
  return (
    <Listing
      title="Sessions"
      rows={open}
      told={error && problemOf(error)}
      retry={reload}
      more={hasMore ? more : undefined}
      empty="You are signed in nowhere."
      keyOf={({ id }) => id}
      render={({ id, clientAddress, userAgent, createdAt, lastUsedAt, current }) => (
        <>
          <div>
            <strong>{current ? 'This browser' : (userAgent ?? 'A program')}</strong>
            <p className="quiet">
              From {clientAddress}, since <Time at={createdAt} />, last used <Time at={lastUsedAt} />
            </p>
          </div>
          {current && open && open.length > 1 && (
            <Action
              document={RevokeOtherSessionsDocument}
              variables={{}}
              text="Sign out everywhere else"
              label="Sign out everywhere else"
              confirm="All other browsers and programs have to sign in again. API keys go on."
              done="Your other sessions have ended."
              onDone={reload}
            />
          )}
          {!current && (
            <Action
              document={RevokeSessionDocument}
              variables={{ id }}
              text="End it"
              label={`End it: the session of ${userAgent ?? 'a program'}`}
              done="The session has ended."
              onDone={reload}
            />
          )}
        </>
      )}
    />
  );
}
