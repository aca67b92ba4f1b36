import { OutboundError } from '#platform/outbound/errors.js';

/** Why a repository could not be read. */
export type GitErrorReason =
  | 'ADDRESS_REFUSED'
  | 'UNREACHABLE'
  | 'TIMEOUT'
  | 'NOT_FOUND'
  | 'BRANCH_NOT_FOUND'
  | 'CREDENTIAL_REFUSED'
  | 'TOO_LARGE'
  | 'UNREADABLE';

/**
 * The message is for whoever set the repository up. What git itself said stays in the cause, for the log: it is written
 * by the other end, and may hold what nobody should see.
 */
export class GitError extends Error {
  override readonly name = 'GitError';

  constructor(
    readonly reason: GitErrorReason,
    message: string,
    options: { cause?: unknown } = {},
  ) {
    super(message, options);
  }
}

// In the words that git 2.39 has with LC_ALL=C.
const told: readonly (readonly [RegExp, GitErrorReason, string])[] = [
  [
    /attempting to allocate \d+ over limit/,
    'TOO_LARGE',
    'The repository has a file that is larger than 64 MB',
  ],
  [/spawn git ENOENT/, 'UNREADABLE', 'The panel has no git: its operator has to install it'],
  [
    /authentication failed|could not read (username|password)|permission denied|invalid credentials|403/i,
    'CREDENTIAL_REFUSED',
    'The repository refuses the credential, or asks for one',
  ],
  [/host key verification failed/i, 'CREDENTIAL_REFUSED', 'The host key is not the one in `knownHosts`'],
  [
    /repository .* not found|does not appear to be a git repository|404/i,
    'NOT_FOUND',
    'There is no repository at this address',
  ],
  [/operation too slow/i, 'TIMEOUT', 'The repository sends nothing for 20 s'],
  [/certificate|SSL|TLS/, 'UNREACHABLE', "The host's certificate is not trusted"],
  [
    /could not resolve host|connection refused|connection timed out|failed to connect|couldn't connect|no route to host|unable to access|could not read from remote/i,
    'UNREACHABLE',
    'The repository could not be reached',
  ],
];

/** What a failure of git's means. */
export function gitErrorOf(cause: unknown): GitError {
  if (cause instanceof GitError) return cause;
  if (cause instanceof OutboundError) return new GitError('ADDRESS_REFUSED', cause.message, { cause });
  const text = cause instanceof Error ? cause.message : '';
  const [, reason, message] = told.find(([pattern]) => pattern.test(text)) ?? [
    undefined,
    'UNREADABLE' as const,
    'The repository could not be read',
  ];
  return new GitError(reason, message, { cause });
}
