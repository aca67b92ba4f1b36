import { OperatorError } from '#platform/errors.js';

import { panelEnv } from '../env.js';
import { run } from '../run.js';
import { withDatabase } from '../with-database.js';

const usage = 'npm run parked, or npm run parked -- retry [evt_...], or npm run parked -- forget evt_...';

interface Parked {
  consumer: string;
  event_id: string;
  topic: string;
  tenant_id: string;
  problem: string;
  parked_at: Date | string;
  can_retry: boolean;
  is_asked: boolean;
}

// What consumers could not take in: shows it, has running panels take it in once more, or gives it up.
await run(async () => {
  const [act = 'list', eventId, ...rest] = process.argv.slice(2);
  const isKnown = act === 'list' ? eventId === undefined : act === 'retry' || (act === 'forget' && eventId);
  if (!isKnown || rest.length > 0) throw new OperatorError(usage);
  await withDatabase(panelEnv(), async (open) => {
    const database = await open('platform');
    const ask = async <Row extends object>(sql: string, values: string[] = []) =>
      database.readerForNobody().execute<Row[]>(sql, values);
    if (act === 'list') {
      const parked = await ask<Parked>('select * from platform.parked_events()');
      process.stdout.write(parked.length === 0 ? 'Nothing is set aside.\n' : parked.map(line).join(''));
      return;
    }
    const sql = act === 'retry' ? 'retry_parked_events' : 'forget_parked_event';
    const [row] = await ask<{ count: string }>(`select platform.${sql}(?) as count`, [eventId ?? '']);
    const count = Number(row?.count);
    if (count === 0 && eventId !== undefined)
      throw new OperatorError(`${eventId} is not set aside, or is from before events were kept with it.`);
    process.stdout.write(
      act === 'retry'
        ? `${count} asked for: panels that run take them in within half a minute. What fails again is listed again.\n`
        : `${count} forgotten.\n`,
    );
  });
});

function line(parked: Parked): string {
  const { event_id, topic, consumer, tenant_id, problem, can_retry, is_asked } = parked;
  const at = new Date(parked.parked_at).toISOString();
  const note = can_retry ? (is_asked ? ', asked for again' : '') : ', cannot be taken in again';
  return `${at} ${event_id} ${topic} for ${consumer}, of ${tenant_id}${note}\n  ${problem}\n`;
}
