import type { SqlEntityManager } from '#platform/database/database.js';

/** Patroni's own call ends within it; whoever had no answer repeats theirs sooner. */
const freshSeconds = 60;

type Kind = 'panel' | 'database';

/** Who was asked to lead last, by whichever process of the panel. */
export interface LastSwitch {
  turn: string;
  target: string;
  /** Whether the panel chose the target. */
  isChosen: boolean;
  /** Whether it was asked for, or had ended, within the last minute. */
  isFresh: boolean;
  /** Whether the target has taken writes since. */
  isOver: boolean;
}

export async function readSwitch(em: SqlEntityManager, kind: Kind): Promise<LastSwitch | undefined> {
  const [row] = await em.execute<LastSwitch[]>(
    `select turn::text as turn, target, is_chosen as "isChosen", over_at is not null as "isOver",
       coalesce(over_at, asked_at) > clock_timestamp() - interval '${freshSeconds} seconds' as "isFresh"
     from platform.ha_switch where kind = ?`,
    [kind],
  );
  return row;
}

/** The turn of this switch; undefined when another one was asked for after the one of `turn`, the last that was read. */
export async function keepSwitch(
  em: SqlEntityManager,
  kind: Kind,
  { turn, target, isChosen }: { turn: string | undefined; target: string; isChosen: boolean },
): Promise<string | undefined> {
  const [kept] = await em.execute<{ turn: string }[]>(
    `insert into platform.ha_switch as s (kind, turn, target, is_chosen) values (?, 1, ?, ?)
     on conflict (kind) do update set turn = s.turn + 1, target = excluded.target, is_chosen = excluded.is_chosen,
       asked_at = clock_timestamp(), over_at = null
     where s.turn = ?::bigint returning turn::text as turn`,
    [kind, target, isChosen, turn ?? null],
  );
  return kept?.turn;
}

export async function endSwitch(
  em: SqlEntityManager,
  kind: Kind,
  turn: string,
  how: 'over' | 'refused',
): Promise<void> {
  await em.execute(
    `update platform.ha_switch set over_at = ${how === 'over' ? 'clock_timestamp()' : `'-infinity'`}
     where kind = ? and turn = ?::bigint`,
    [kind, turn],
  );
}
