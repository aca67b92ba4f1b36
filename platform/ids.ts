import { typeidUnboxed } from 'typeid-js';

/** The prefixes of every public id. A prefix says what a thing is wherever the id turns up. */
export const idPrefixes = {
  tenant: 'org',
  user: 'usr',
  session: 'ses',
  signingKey: 'key',
  instance: 'inst',
  enrollmentToken: 'etk',
  event: 'evt',
  invitation: 'inv',
  apiKey: 'apk',
  delegation: 'dlg',
  delegationRequest: 'dlr',
  erasure: 'ers',
  export: 'exp',
  alert: 'alr',
  silence: 'sil',
  notificationChannel: 'chn',
  delivery: 'dlv',
  command: 'cmd',
  group: 'grp',
  maintenanceWindow: 'mwn',
  intent: 'itn',
  licence: 'lic',
  partner: 'par',
  partnerTierChange: 'ptc',
  commission: 'com',
  policy: 'pol',
  exemption: 'exm',
  canary: 'can',
  remediation: 'rem',
  gitOpsConfig: 'git',
  server: 'srv',
  providerAccount: 'pac',
  cluster: 'k8s',
  deployment: 'dep',
  placement: 'plc',
  upgrade: 'upg',
} as const;

export type IdKind = keyof typeof idPrefixes;

/** A new id: the prefix, `_`, and a UUIDv7 in base32, so that ids sort by the time they were made (TypeID spec 0.3). */
export function newId(kind: IdKind): string {
  // TypeID's own prefixes have no digits, which `k8s` has.
  return `${idPrefixes[kind]}_${typeidUnboxed('')}`;
}
