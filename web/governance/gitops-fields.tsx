import { useState } from 'react';

import type { GitOpsConfigsQuery, GitOpsCredentialInput } from '../generated/graphql.ts';
import { Field, FieldGroup, LongField } from '../parts/field.tsx';
import { secretOf, textOf } from '../parts/form.ts';

export type GitOpsConfig = GitOpsConfigsQuery['gitOpsConfigs']['nodes'][number];

/** Where a repository is, how it is opened, and what is done by itself. Secrets are typed in and never shown. */
export function GitOpsFields({ config }: { config?: GitOpsConfig }) {
  const [isPublic, setPublic] = useState(false);
  const [takesNone, setTakesNone] = useState(false);
  const kept = config?.credentialKind ? 'Left empty what is kept goes on.' : 'Left empty for a public one.';
  return (
    <>
      <Field
        label="Name of the repository"
        name="name"
        required
        maxLength={200}
        defaultValue={config?.name}
      />
      <Field
        label="Its address"
        name="repoUrl"
        required
        maxLength={500}
        defaultValue={config?.repoUrl}
        hint="https://… or git@host:path, without any secret in it."
      />
      <Field label="Branch" name="branch" defaultValue={config?.branch} hint="main unless told." />
      <Field label="Folder" name="path" defaultValue={config?.path} hint="Left empty: all of it." />
      <FieldGroup legend="What opens it" name="credential">
        {config?.credentialKind && (
          <label className="check">
            <input
              type="checkbox"
              name="isPublic"
              checked={isPublic}
              onChange={({ target }) => setPublic(target.checked)}
            />{' '}
            Nothing: it is public, and what is kept is forgotten
          </label>
        )}
        {!isPublic && <CredentialFields kept={kept} />}
      </FieldGroup>
      <Field
        label="Looked at every, in seconds"
        name="syncIntervalSeconds"
        type="number"
        required
        defaultValue={config?.syncIntervalSeconds ?? 120}
        hint="From 30 to 86400."
      />
      {config?.takesWebhooks && (
        <label className="check">
          <input
            type="checkbox"
            name="takesNone"
            checked={takesNone}
            onChange={({ target }) => setTakesNone(target.checked)}
          />{' '}
          Take no webhooks any more, and forget their secret
        </label>
      )}
      {!takesNone && (
        <Field
          label="Secret of webhooks"
          name="webhookSecret"
          type="password"
          autoComplete="off"
          hint={
            config
              ? `${config.takesWebhooks ? 'There is one, which goes on when this is left empty' : 'There is none'}. The host sends them to ${location.origin}/webhooks/gitops/${config.id}.`
              : 'At least 16 characters; the host of the repository signs with it, and the panel looks at once. May be left empty.'
          }
        />
      )}
      <label className="check">
        <input type="checkbox" name="autoSync" defaultChecked={config?.autoSync} /> Put new commits into force
        by themselves
      </label>
      <label className="check">
        <input type="checkbox" name="selfHeal" defaultChecked={config?.selfHeal} /> Set right what was changed
        otherwise
      </label>
      <label className="check">
        <input type="checkbox" name="prune" defaultChecked={config?.prune} /> Remove what is declared no more
      </label>
    </>
  );
}

function CredentialFields({ kept }: { kept: string }) {
  return (
    <>
      <Field
        label="Token that may read it"
        name="credential.token"
        type="password"
        autoComplete="off"
        hint={`${kept} It is kept sealed and never shown.`}
      />
      <Field
        label="Name that goes with the token"
        name="credential.username"
        autoComplete="off"
        hint="As the host wants it; git where this is left empty. It goes with the token that is typed in above."
      />
      <details>
        <summary>Or a key, over ssh</summary>
        <LongField
          label="Private key"
          name="credential.sshPrivateKey"
          autoComplete="off"
          spellCheck={false}
          hint="Without a passphrase, as OpenSSH writes it. It is kept sealed and never shown."
        />
        <LongField
          label="Keys of its host"
          name="credential.knownHosts"
          spellCheck={false}
          hint="As in known_hosts: what ssh-keyscan writes, once you have compared it. No other host is spoken to. They go with the key that is pasted above."
        />
      </details>
    </>
  );
}

/** What was filled in. Secrets that were left empty are left out, so that what is kept goes on. */
export function gitOpsOf(form: FormData) {
  const credential = credentialOf(form);
  const webhookSecret = form.get('takesNone') === 'on' ? null : secretOf(form, 'webhookSecret') || undefined;
  return {
    name: textOf(form, 'name'),
    repoUrl: textOf(form, 'repoUrl'),
    branch: textOf(form, 'branch') || 'main',
    path: textOf(form, 'path'),
    syncIntervalSeconds: Number(form.get('syncIntervalSeconds')),
    autoSync: form.get('autoSync') === 'on',
    selfHeal: form.get('selfHeal') === 'on',
    prune: form.get('prune') === 'on',
    ...(credential === undefined ? {} : { credential }),
    ...(webhookSecret === undefined ? {} : { webhookSecret }),
  };
}

/** The same of a repository that is there. Its secrets are not known: those that are given always differ. */
export function settingsOf(config: GitOpsConfig): ReturnType<typeof gitOpsOf> {
  const { name, repoUrl, branch, path, syncIntervalSeconds, autoSync, selfHeal, prune } = config;
  return { name, repoUrl, branch, path, syncIntervalSeconds, autoSync, selfHeal, prune };
}

/** All that was filled in of it, so that what does not go together is told; null takes away what is kept. */
function credentialOf(form: FormData): GitOpsCredentialInput | null | undefined {
  if (form.get('isPublic') === 'on') return null;
  const given = {
    token: textOf(form, 'credential.token'),
    username: textOf(form, 'credential.username'),
    sshPrivateKey: secretOf(form, 'credential.sshPrivateKey'),
    knownHosts: textOf(form, 'credential.knownHosts'),
  };
  const filled = Object.entries(given).filter(([, value]) => value !== '');
  return filled.length === 0 ? undefined : Object.fromEntries(filled);
}
