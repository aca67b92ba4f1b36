import type { SealedColumn } from '#platform/secrets/sealed-column.js';

/** What hosting keeps sealed with SECRETS_KEY. */
export const hostingSealedColumns: readonly SealedColumn[] = [
  {
    table: 'provider_account',
    idColumns: ['tenant_id', 'provider'],
    column: 'sealed_token',
    boundTo: 'id',
  },
  { table: 'cluster', idColumns: ['tenant_id', 'id'], column: 'sealed_credential', boundTo: 'id' },
  { table: 'deployment', idColumns: ['tenant_id', 'id'], column: 'sealed_desired', boundTo: 'id' },
  { table: 'deployment', idColumns: ['tenant_id', 'id'], column: 'sealed_taken', boundTo: 'id' },
  {
    table: 'deployment_revision',
    idColumns: ['tenant_id', 'deployment_id', 'revision'],
    column: 'sealed_desired',
    boundTo: 'deployment_id',
  },
  { table: 'placement', idColumns: ['tenant_id', 'id'], column: 'sealed_desired', boundTo: 'id' },
  { table: 'server', idColumns: ['tenant_id', 'id'], column: 'sealed_token', boundTo: 'id' },
];
