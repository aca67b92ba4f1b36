import { migration, type AreaMigration } from '#platform/database/migrate.js';
import { tenantTableSql } from '#platform/database/row-level-security.js';

/** Money that went back to partners' customers, and entries of the ledger that follow it. */
export const returnedMoneyMigration: AreaMigration = migration(
  '012_returned_money',
  // By the id of the charge whose money it was, or of the credit note that tells of it.
  `create table billing.returned_money (
    tenant_id text not null,
    id text not null,
    -- Null for a payment of no invoice.
    invoice_id text,
    amount bigint not null check (amount >= 0),
    returned_at timestamptz not null,
    primary key (tenant_id, id)
  )`,
  ...tenantTableSql('billing', 'returned_money', { app: ['select', 'insert', 'update'] }),

  // How much of it was told of, and how often that became another amount.
  `alter table billing.paid_invoice add column returned bigint not null default 0,
    add column return_version integer not null default 0`,
  `grant update on billing.paid_invoice to billing_app`,

  // 0 is what was paid; the others follow what went back of it, each by the version that told of it.
  `alter table billing.commission add column entry integer not null default 0 check (entry >= 0)`,
  `drop index billing.commission_invoice`,
  `create unique index commission_entry on billing.commission (tenant_id, invoice_id, entry)`,
  // Which partner has earned by an invoice, whoever the customer's partner is by now.
  `create index commission_of_invoice on billing.commission (invoice_id) where entry = 0`,
);
