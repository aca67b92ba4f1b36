import type { SealedColumn } from '#platform/secrets/sealed-column.js';

/** What fleet keeps sealed with SECRETS_KEY. */
export const fleetSealedColumns: readonly SealedColumn[] = [
  'sealed_secret',
  'sealed_previous_secret',
  'sealed_earlier_secret',
].map((column) => ({
  table: 'notification_channel',
  idColumns: ['tenant_id', 'id'],
  column,
  boundTo: 'id',
}));
