import { useEffect, useRef, useState, type SubmitEvent } from 'react';

import { Field } from '../parts/field.tsx';
import { isRegistrationOpen } from './registration.ts';
import { answerCode, signIn } from './session.ts';

/** A password, and where it is on a code of the second factor. */
export default function SignInPage() {
  const [challenge, setChallenge] = useState<string>();
  return (
    <main className="sign-in">
      {challenge === undefined ? (
        <PasswordForm onChallenge={setChallenge} />
      ) : (
        <CodeForm challenge={challenge} onLeave={() => setChallenge(undefined)} />
      )}
    </main>
  );
}

function PasswordForm({ onChallenge }: { onChallenge: (challenge: string) => void }) {
  const { isBusy, problem, submit } = useForm(async (fields) => {
    const challenge = await signIn(fields['email'] ?? '', fields['password'] ?? '');
    if (challenge !== undefined) onChallenge(challenge);
  });
  const mayRegister = useMayRegister();
  useTitle('Sign in');
  return (
    <form onSubmit={submit}>
      <h1>Sign in</h1>
      <p className="quiet">Quazzar Control Panel</p>
      <Field label="E-mail" name="email" type="email" autoComplete="username" required autoFocus />
      <Field label="Password" name="password" type="password" autoComplete="current-password" required />
      <p role="alert" className="wrong">
        {problem}
      </p>
      <button className="main" disabled={isBusy}>
        {isBusy ? 'Signing in…' : 'Sign in'}
      </button>
      <a href="/account/forgot-password">Forgot your password?</a>
      {mayRegister && <a href="/account/register">Make an organization</a>}
    </form>
  );
}

function CodeForm({ challenge, onLeave }: { challenge: string; onLeave: () => void }) {
  const { isBusy, problem, submit } = useForm(async (fields) => answerCode(challenge, fields['code'] ?? ''));
  useTitle('Second factor');
  return (
    <form onSubmit={submit}>
      <h1>Second factor</h1>
      <p>Enter the code that your authenticator shows. A recovery code works too.</p>
      <Field
        label="Code"
        name="code"
        autoComplete="one-time-code"
        autoCapitalize="none"
        spellCheck={false}
        required
        autoFocus
      />
      <p role="alert" className="wrong">
        {problem}
      </p>
      <button className="main" disabled={isBusy}>
        {isBusy ? 'Checking…' : 'Continue'}
      </button>
      <button type="button" onClick={onLeave}>
        Back to the password
      </button>
    </form>
  );
}

/** Whether who has no account is led to where they make one. */
function useMayRegister(): boolean {
  const [mayRegister, setMayRegister] = useState(false);
  useEffect(() => {
    void isRegistrationOpen().then(setMayRegister);
  }, []);
  return mayRegister;
}

function useForm(send: (fields: Record<string, string>) => Promise<void>) {
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState('');
  const isShown = useRef(true);
  useEffect(() => {
    isShown.current = true;
    return () => void (isShown.current = false);
  }, []);
  const submit = async (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    const fields = Object.fromEntries(new FormData(event.currentTarget)) as Record<string, string>;
    setBusy(true);
    setProblem('');
    try {
      await send(fields);
    } catch (error) {
      if (isShown.current) setProblem(error instanceof Error ? error.message : String(error));
    } finally {
      if (isShown.current) setBusy(false);
    }
  };
  return { isBusy, problem, submit };
}

function useTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · Quazzar Control Panel`;
  }, [title]);
}
