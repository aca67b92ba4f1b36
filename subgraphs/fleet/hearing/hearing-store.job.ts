import type { Database, RowReader } from '#platform/database/database.js';
import { systemReader } from '#platform/database/system-em.js';

import { silenceAt, undisturbed, type HearingState, type Patience, type Silence } from './hearing.rules.js';

type Row = { [Key in keyof HearingState]: Date | string };

const columns = `heard_until as "heardUntil", lost_at as "lostAt", counts_again_at as "countsAgainAt"`;

// Another process may have heard what this one could not: it was a gap only if nobody did until this one does again.
const isGap = `?::timestamptz > h.heard_until`;

const hear = `insert into fleet.hearing as h (heard_until, lost_at, counts_again_at)
  values (?::timestamptz, 'epoch', ?::timestamptz)
  on conflict (id) do update set
    lost_at = case when ${isGap} then fleet.silence_counts_to(h.heard_until) else h.lost_at end,
    counts_again_at = case when ${isGap} then excluded.counts_again_at else h.counts_again_at end,
    heard_until = greatest(h.heard_until, excluded.heard_until)
  returning ${columns}`;

// By what was seen, so that a statement which waited for long changes nothing that was stored since.
const setBack = `update fleet.hearing set heard_until = ?::timestamptz, lost_at = least(lost_at, ?::timestamptz),
    counts_again_at = least(counts_again_at, ?::timestamptz)
  where heard_until = ?::timestamptz returning ${columns}`;

/** Where all processes of a panel keep since when they can hear. What is stored here proves that beats can be stored. */
export class HearingStore {
  constructor(
    private readonly database: Database,
    private readonly patience: Patience,
  ) {}

  /** Says that this process has been able to hear from `since` to `now`, and answers what that makes of the whole. */
  async hear({ since, now }: { since: Date; now: Date }): Promise<HearingState> {
    const { toleranceMs, deadlineMs } = this.patience;
    const [row] = await systemReader(this.database).execute<Row[]>(hear, [
      later(now, toleranceMs),
      later(since, deadlineMs),
      since,
      since,
    ]);
    if (!row) throw new Error('what was heard is kept in one row');
    return stateOf(row);
  }

  /** What the others have said; undefined before anybody has. */
  async read(): Promise<HearingState | undefined> {
    return readState(systemReader(this.database));
  }

  /** Takes back what a clock that was ahead has left in the future, unless another process has done so. */
  async setBack(seen: HearingState, now: Date): Promise<HearingState> {
    const { toleranceMs, deadlineMs } = this.patience;
    const [row] = await systemReader(this.database).execute<Row[]>(setBack, [
      later(now, toleranceMs),
      now,
      later(now, deadlineMs),
      seen.heardUntil,
    ]);
    return row ? stateOf(row) : seen;
  }
}

/** How far silence counts by what is stored, for a step in its own transaction. */
export async function storedSilence(reader: RowReader, at: Date): Promise<Silence> {
  const state = await readState(reader);
  return state ? silenceAt(state, at) : undisturbed(at);
}

async function readState(reader: RowReader): Promise<HearingState | undefined> {
  const [row] = await reader.execute<Row[]>(`select ${columns} from fleet.hearing`);
  return row && stateOf(row);
}

function stateOf({ heardUntil, lostAt, countsAgainAt }: Row): HearingState {
  return {
    heardUntil: new Date(heardUntil),
    lostAt: new Date(lostAt),
    countsAgainAt: new Date(countsAgainAt),
  };
}

function later(time: Date, ms: number): Date {
  return new Date(time.getTime() + ms);
}
