import type { RowReader } from '../database/database.js';

// One for each start of a server; a position that is older than so many is a day old by far.
const remembered = 100;

/** The database's timelines, as far back as a position may be, the current one last. */
export async function timelinesOf(reader: RowReader): Promise<readonly string[]> {
  return numbers(reader, 'platform.current_timeline()');
}

/** The same, making sure that the current one is remembered although nothing has been written under it yet. */
export async function recordTimeline(reader: RowReader): Promise<readonly string[]> {
  return numbers(reader, 'platform.record_timeline()');
}

async function numbers(reader: RowReader, current: string): Promise<readonly string[]> {
  const rows = await reader.execute<{ number: string }[]>(
    `select timeline::text as number from (
       (select distinct timeline from platform.timeline order by timeline desc limit ${remembered})
       union select ${current}
     ) t order by timeline`,
  );
  return rows.map(({ number }) => number);
}
