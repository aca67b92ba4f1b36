/** What opens a repository. Sealed as JSON; never shown. */
export type GitCredential =
  | { kind: 'TOKEN'; username: string; token: string }
  | { kind: 'SSH_KEY'; privateKey: string; knownHosts: string };
