import { invalid } from '#platform/errors.js';

import type { GitAddress } from './git/address.js';
import type { GitCredential } from './git/credential.js';
import type { GitOpsCredentialInput } from './gitops-config.inputs.js';

/** A credential as it was checked. */
export type Credential = { [Key in keyof GitOpsCredentialInput]?: string | null | undefined };

export function credentialOf({ username, token, sshPrivateKey, knownHosts }: Credential): GitCredential {
  return token
    ? { kind: 'TOKEN', username: username ?? 'git', token }
    : { kind: 'SSH_KEY', privateKey: sshPrivateKey ?? '', knownHosts: knownHosts ?? '' };
}

/** A token goes over https and a key over ssh: a secret is shown to nobody on the way. */
export function requireFitting({ protocol }: GitAddress, credential: Credential | null | undefined): void {
  if (!credential) return;
  if (credential.token && protocol !== 'https')
    throw invalid('input.credential.token', 'A token needs an address of https');
  if (credential.sshPrivateKey && protocol !== 'ssh')
    throw invalid('input.credential.sshPrivateKey', 'A key needs an address of ssh');
}
