import pg from 'pg';

interface Table {
  name: string;
  /** Quoted, without those that are computed. */
  columns: string;
}

// What initdb makes; everything else is the panel's. A partitioned table stands for its partitions.
const tablesSql = `
  select format('%I.%I', n.nspname, c.relname) as name,
    (select string_agg(quote_ident(a.attname), ', ' order by a.attnum) from pg_attribute a
     where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = '') as columns
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where c.relkind in ('r', 'p') and not c.relispartition
    and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
  order by 1`;

const sequencesSql = `
  select format('%I.%I', schemaname, sequencename) as name, coalesce(last_value, start_value)::text as value,
    last_value is not null as "isCalled"
  from pg_sequences`;

/**
 * Puts all rows and sequences of a database into another one whose tables are the same, in the place of what it has: a
 * dump and its restore, made of one snapshot, with every value as it was written.
 */
export async function copyDatabase(from: string, to: string): Promise<void> {
  const source = new pg.Client({ connectionString: from });
  const target = new pg.Client({ connectionString: to });
  await Promise.all([source.connect(), target.connect()]);
  try {
    await source.query('begin isolation level repeatable read read only');
    await target.query('begin');
    // Rows come as they are: no trigger fires, and no foreign key asks for an order.
    await target.query(`set session_replication_role = replica`);
    const { rows: tables } = await source.query<Table>(tablesSql);
    await target.query(`truncate ${tables.map(({ name }) => name).join(', ')}`);
    for (const { name, columns } of tables) {
      const { rows } = await source.query<{ data: string }>(
        `select coalesce(json_agg(t), '[]')::text as data from (select ${columns} from ${name}) t`,
      );
      await target.query(
        `insert into ${name} (${columns}) overriding system value
         select ${columns} from json_populate_recordset(null::${name}, $1::json)`,
        [rows[0]!.data],
      );
    }
    const { rows: sequences } = await source.query<{ name: string; value: string; isCalled: boolean }>(
      sequencesSql,
    );
    for (const { name, value, isCalled } of sequences) {
      await target.query('select setval($1, $2, $3)', [name, value, isCalled]);
    }
    await target.query('commit');
  } finally {
    await Promise.all([source.end(), target.end()]);
  }
}

/** Uses up transaction ids, as a server does that has been at work for longer. */
export async function spendTransactions(url: string, count: number): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(
      `do $$ begin for i in 1..${count} loop perform pg_current_xact_id(); commit; end loop; end $$`,
    );
  } finally {
    await client.end();
  }
}

/** The next transaction id of a server. */
export async function horizonOf(url: string): Promise<number> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<{ xid: string }>(
      'select pg_snapshot_xmax(pg_current_snapshot())::text as xid',
    );
    return Number(rows[0]!.xid);
  } finally {
    await client.end();
  }
}
