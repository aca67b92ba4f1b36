import { Field, ID, InputType, Int } from 'type-graphql';
import { z } from 'zod';

import { keyFault } from './git/ssh-key.js';

@InputType({ description: 'What opens a repository: a token, or a key with the host keys that are trusted.' })
export class GitOpsCredentialInput {
  @Field(() => String, {
    nullable: true,
    description: 'Of a token: the name that goes with it, `git` unless told; at most 200 characters.',
  })
  username?: string | null;

  @Field(() => String, { nullable: true, description: 'A token, over https; at most 2000 characters.' })
  token?: string | null;

  @Field(() => String, {
    nullable: true,
    description:
      'A private key without a passphrase, for ssh, as OpenSSH writes it; at most 10000 characters.',
  })
  sshPrivateKey?: string | null;

  @Field(() => String, {
    nullable: true,
    description:
      'The keys of the host, one a line as in `known_hosts`; they go with a key. No other host is spoken to.',
  })
  knownHosts?: string | null;
}

const urlDescription =
  'An address of https, http or ssh, or `user@host:path`, without any secret; at most 500 characters. Private addresses ' +
  'are refused unless the operator lets them through.';
const pathDescription = 'A folder of the repository; empty for all of it.';
const secretDescription =
  'What the host of the repository signs its webhooks with, 16 to 200 characters. They go to ' +
  '`/webhooks/gitops/<id>`, in the form of GitHub, Gitea or GitLab, and only make the panel look sooner. Never shown.';

@InputType({ description: 'A repository that is to declare what the tenant has.' })
export class CreateGitOpsConfigInput {
  @Field(() => String, { description: '1 to 200 characters, unique in the tenant without case.' })
  name!: string;

  @Field(() => String, { description: urlDescription })
  repoUrl!: string;

  @Field(() => String, { nullable: true, description: '`main` unless told; at most 200 characters.' })
  branch?: string | null;

  @Field(() => String, { nullable: true, description: pathDescription })
  path?: string | null;

  @Field(() => Boolean, { nullable: true, description: 'Puts new commits into force; false unless told.' })
  autoSync?: boolean | null;

  @Field(() => Boolean, {
    nullable: true,
    description: 'Sets right what was changed otherwise; false unless told. Needs `autoSync`.',
  })
  selfHeal?: boolean | null;

  @Field(() => Boolean, {
    nullable: true,
    description: 'Removes what came from the repository and is declared no more; false unless told.',
  })
  prune?: boolean | null;

  @Field(() => Int, { nullable: true, description: 'Seconds between looks, 30 to 86400; 120 unless told.' })
  syncIntervalSeconds?: number | null;

  @Field(() => GitOpsCredentialInput, { nullable: true, description: 'What opens it, where that is needed.' })
  credential?: GitOpsCredentialInput | null;

  @Field(() => String, { nullable: true, description: secretDescription })
  webhookSecret?: string | null;
}

@InputType({ description: 'What changes of a repository; what is left out stays.' })
export class UpdateGitOpsConfigInput {
  @Field(() => String, { nullable: true, description: '1 to 200 characters, unique in the tenant.' })
  name?: string | null;

  @Field(() => String, {
    nullable: true,
    description: `${urlDescription} The credential goes with the address it was given for: another one needs its own.`,
  })
  repoUrl?: string | null;

  @Field(() => String, { nullable: true, description: 'At most 200 characters.' })
  branch?: string | null;

  @Field(() => String, { nullable: true, description: pathDescription })
  path?: string | null;

  @Field(() => Boolean, { nullable: true, description: 'Puts new commits into force.' })
  autoSync?: boolean | null;

  @Field(() => Boolean, { nullable: true, description: 'Sets right what was changed otherwise.' })
  selfHeal?: boolean | null;

  @Field(() => Boolean, { nullable: true, description: 'Removes what is declared no more.' })
  prune?: boolean | null;

  @Field(() => Boolean, { nullable: true, description: 'Leaves it alone, or takes it up again.' })
  isPaused?: boolean | null;

  @Field(() => Int, { nullable: true, description: 'Seconds between looks, 30 to 86400.' })
  syncIntervalSeconds?: number | null;

  @Field(() => GitOpsCredentialInput, {
    nullable: true,
    description: 'What opens it from now on; null takes it away.',
  })
  credential?: GitOpsCredentialInput | null;

  @Field(() => String, { nullable: true, description: `${secretDescription} Null: webhooks are refused.` })
  webhookSecret?: string | null;
}

@InputType({ description: 'Something that a repository is to do now.' })
export class SyncGitOpsConfigInput {
  @Field(() => ID, { description: 'The repository.' })
  id!: string;

  @Field(() => Boolean, {
    nullable: true,
    description: 'Also removes what came from the repository and is declared no more; false unless told.',
  })
  prune?: boolean | null;
}

const name = z.string().trim().min(1, 'Name is required').max(200, 'Name must have at most 200 characters');
const repoUrl = z
  .string()
  .trim()
  .min(1, 'The address is required')
  .max(500, 'The address must have at most 500 characters');
const branch = z
  .string()
  .trim()
  .max(200, 'The branch must have at most 200 characters')
  // git-check-ref-format(1)
  .regex(
    /^(?![-/.])(?!.*(?:\.\.|\/\/|@\{|\/\.|\.lock(?:\/|$)))[^\p{Cc}\s~^:?*[\\]+(?<![/.])$/u,
    'This is no name of a branch',
  );
const path = z
  .string()
  .trim()
  .max(500, 'The path must have at most 500 characters')
  .transform((text) => text.replace(/^\/+|\/+$/g, ''))
  .refine(
    (text) => text === '' || text.split('/').every((part) => !['', '.', '..'].includes(part)),
    'The path must be a folder of the repository, without . and ..',
  )
  .refine((text) => !/^:|[\p{Cc}*?[\\]/u.test(text), 'The path must have no :, *, ?, [ or \\');
const seconds = z
  .int('Seconds are whole')
  .min(30, 'Seconds must be 30 to 86400')
  .max(86_400, 'Seconds must be 30 to 86400');
const webhookSecret = z
  .string()
  .min(16, 'The secret must have 16 to 200 characters')
  .max(200, 'The secret must have 16 to 200 characters');
const text = (most: number) =>
  z.string().trim().min(1, 'It must not be empty').max(most, `At most ${most} characters`);
const credential = z
  .object({
    username: text(200)
      .regex(/^[^:\s]+$/, 'It must have no colon and no space')
      .nullish(),
    token: text(2_000).regex(/^\S+$/, 'It must have no space').nullish(),
    sshPrivateKey: text(10_000)
      .regex(/^-----BEGIN [A-Z ]*PRIVATE KEY-----/, 'It must be a private key as OpenSSH writes it')
      .superRefine((key, context) => {
        const message = keyFault(key);
        if (message !== undefined) context.addIssue({ code: 'custom', message });
      })
      .nullish(),
    knownHosts: text(10_000).nullish(),
  })
  .superRefine((given, context) => {
    const add = (field: string, message: string) =>
      context.addIssue({ code: 'custom', path: [field], message });
    if (!given.token === !given.sshPrivateKey) add('token', 'It takes either a token or a key');
    if (given.sshPrivateKey && !given.knownHosts) add('knownHosts', 'A key needs the keys of the host');
    if (given.token && given.knownHosts) add('knownHosts', 'They go with a key');
  });

export const createGitOpsConfigRules = z
  .object({
    name,
    repoUrl,
    branch: branch.nullish(),
    path: path.nullish(),
    autoSync: z.boolean().nullish(),
    selfHeal: z.boolean().nullish(),
    prune: z.boolean().nullish(),
    syncIntervalSeconds: seconds.nullish(),
    credential: credential.nullish(),
    webhookSecret: webhookSecret.nullish(),
  })
  .refine(({ autoSync, selfHeal }) => !selfHeal || autoSync, {
    path: ['selfHeal'],
    message: 'Self-heal needs autoSync',
  });

export const updateGitOpsConfigRules = z.object({
  name: name.nullish(),
  repoUrl: repoUrl.nullish(),
  branch: branch.nullish(),
  path: path.nullish(),
  autoSync: z.boolean().nullish(),
  selfHeal: z.boolean().nullish(),
  prune: z.boolean().nullish(),
  isPaused: z.boolean().nullish(),
  syncIntervalSeconds: seconds.nullish(),
  credential: credential.nullish(),
  webhookSecret: webhookSecret.nullish(),
});
