import type { SealedColumn } from '#platform/secrets/sealed-column.js';

/** What governance keeps sealed with SECRETS_KEY. */
export const governanceSealedColumns: readonly SealedColumn[] = [
  'sealed_credential',
  'sealed_webhook_secret',
].map((column) => ({ table: 'gitops_config', idColumns: ['tenant_id', 'id'], column, boundTo: 'id' }));
