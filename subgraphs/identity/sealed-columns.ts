import type { SealedColumn } from '#platform/secrets/sealed-column.js';

/** What identity keeps sealed with SECRETS_KEY. */
export const identitySealedColumns: readonly SealedColumn[] = [
  { table: 'signing_key', idColumns: ['kid'], column: 'sealed_private_key', boundTo: 'kid' },
  { table: 'totp_secret', idColumns: ['tenant_id', 'user_id'], column: 'sealed_secret', boundTo: 'user_id' },
  { table: 'audit_head', idColumns: ['tenant_id'], column: 'sealed_head', boundTo: 'tenant_id' },
];
