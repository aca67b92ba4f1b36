import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';

import { headOf } from '#platform/cut-text.js';
import { wrongKeys, yamlDocuments, YamlTooLarge } from '#platform/yaml-documents.js';

import { costlyKey, isCheap } from './client-key.js';
import type { Credential } from './credential.js';

/** What is wrong with a kubeconfig, as whoever sent it is told. */
export class KubeconfigError extends Error {
  override readonly name = 'KubeconfigError';
}

export const mostKubeconfigBytes = 200_000;

type Fields = Readonly<Record<string, unknown>>;

// Each would have the panel run a program, read a file of its own, or talk to whomever it is led to.
const refusedOfUser: Readonly<Record<string, string>> = {
  exec: 'runs a program',
  'auth-provider': 'needs a program of its provider',
  tokenFile: 'reads a file',
  'client-certificate': 'reads a file: use client-certificate-data',
  'client-key': 'reads a file: use client-key-data',
  username: 'is of a password, which Kubernetes takes no more',
  password: 'is a password, which Kubernetes takes no more',
  as: 'acts as somebody else',
  'as-uid': 'acts as somebody else',
  'as-groups': 'acts as somebody else',
  'as-user-extra': 'acts as somebody else',
};
const refusedOfCluster: Readonly<Record<string, string>> = {
  'certificate-authority': 'reads a file: use certificate-authority-data',
  'proxy-url': 'leads through somebody else',
  'tls-server-name': 'is not taken: the server must have a certificate of its own address',
};

/**
 * Reads the current context of a kubeconfig. Nothing of it is run, and no file is read: what would need that is refused,
 * as is a server whose certificate is not to be checked.
 */
export function parseKubeconfig(text: string): Credential {
  const config = read(text);
  const name = config['current-context'];
  if (typeof name !== 'string' || name === '') throw new KubeconfigError('It has no current-context');
  const context = named(config, 'contexts', name)['context'];
  if (!isFields(context)) throw new KubeconfigError(`The context ${name} is empty`);
  const cluster = part(config, 'clusters', context['cluster'], 'cluster');
  const user = part(config, 'users', context['user'], 'user');
  refuse(cluster, refusedOfCluster);
  refuse(user, refusedOfUser);
  const isUnchecked = cluster['insecure-skip-tls-verify'];
  if (isUnchecked !== undefined && isUnchecked !== false)
    throw new KubeconfigError(
      'insecure-skip-tls-verify is not taken: the server must be known by its certificate',
    );
  const server = cluster['server'];
  if (typeof server !== 'string' || !server.startsWith('https://') || !URL.canParse(server))
    throw new KubeconfigError('The server must be an https:// address');
  const authority = data(cluster, 'certificate-authority-data');
  const certificate = data(user, 'client-certificate-data');
  const key = data(user, 'client-key-data');
  const token = user['token'];
  if (token !== undefined && (typeof token !== 'string' || !/^[\x21-\x7e]+$/.test(token)))
    throw new KubeconfigError('The token must be visible ASCII characters');
  checkKeys({ authority, certificate, key, hasToken: token !== undefined });
  return {
    server: server.replace(/\/+$/, ''),
    ...(authority === undefined ? {} : { authority }),
    ...(certificate === undefined ? {} : { certificate }),
    ...(key === undefined ? {} : { key }),
    ...(token === undefined ? {} : { token: token as string }),
  };
}

function read(text: string): Fields {
  if (Buffer.byteLength(text) > mostKubeconfigBytes)
    throw new KubeconfigError(`It has more than ${mostKubeconfigBytes} bytes`);
  let config: unknown;
  try {
    const [document, another] = yamlDocuments(text);
    if (another !== undefined || (document && document.errors.length > 0)) throw new Error('it has errors');
    const [wrong] = document ? wrongKeys(document, 1) : [];
    if (wrong) throw new KubeconfigError(headOf(wrong.message, 200));
    // Aliases would let a small text unfold to a large one.
    config = document?.toJS({ maxAliasCount: 0 });
  } catch (error) {
    if (error instanceof KubeconfigError) throw error;
    if (error instanceof YamlTooLarge) throw new KubeconfigError(error.message);
    throw new KubeconfigError('It is no YAML, or has aliases in it');
  }
  if (!isFields(config)) throw new KubeconfigError('It is no kubeconfig');
  return config;
}

function part(config: Fields, list: string, name: unknown, key: string): Fields {
  if (typeof name !== 'string') throw new KubeconfigError(`The current context names no ${key}`);
  const found = named(config, list, name)[key];
  if (!isFields(found)) throw new KubeconfigError(`The ${key} ${name} is empty`);
  return found;
}

function named(config: Fields, list: string, name: string): Fields {
  const entries = config[list];
  const found: unknown = Array.isArray(entries)
    ? entries.find((entry) => isFields(entry) && entry['name'] === name)
    : undefined;
  if (!isFields(found))
    throw new KubeconfigError(`It has nothing called ${headOf(name, 100)} among its ${list}`);
  return found;
}

function refuse(of: Fields, refused: Readonly<Record<string, string>>): void {
  for (const [field, why] of Object.entries(refused))
    if (of[field] !== undefined && of[field] !== null) throw new KubeconfigError(`${field} ${why}`);
}

function data(of: Fields, field: string): string | undefined {
  const value = of[field];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string') throw new KubeconfigError(`${field} must be text in base64`);
  return Buffer.from(value, 'base64').toString('utf8');
}

interface Keys {
  authority: string | undefined;
  certificate: string | undefined;
  key: string | undefined;
  hasToken: boolean;
}

function checkKeys({ authority, certificate, key, hasToken }: Keys): void {
  const isCertificate = (pem: string) => {
    try {
      return new X509Certificate(pem);
    } catch {
      return undefined;
    }
  };
  if (authority !== undefined && !isCertificate(authority))
    throw new KubeconfigError('certificate-authority-data is no certificate');
  if ((certificate === undefined) !== (key === undefined))
    throw new KubeconfigError('client-certificate-data and client-key-data belong together');
  if (certificate !== undefined && key !== undefined) {
    const own = isCertificate(certificate);
    if (!own) throw new KubeconfigError('client-certificate-data is no certificate');
    const privateKey = privateKeyOf(key);
    if (!isCheap(privateKey)) throw new KubeconfigError(costlyKey);
    if (!own.checkPrivateKey(privateKey))
      throw new KubeconfigError('client-key-data is not the key of client-certificate-data');
  }
  if (certificate === undefined && !hasToken)
    throw new KubeconfigError('The user has neither a client certificate nor a token');
}

function privateKeyOf(pem: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch {
    throw new KubeconfigError('client-key-data is no private key');
  }
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
