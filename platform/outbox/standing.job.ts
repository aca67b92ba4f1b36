import { arrayLiteral } from '../database/array-literal.js';
import type { Database, SqlEntityManager } from '../database/database.js';
import { systemEm, systemQuestions } from '../database/system-em.js';
import { assertHeld, type Grant } from '../membership/lease.js';
import type { Consumer } from './consumer.js';
import { isAfter, type Position } from './event.js';

/** A consumer and one of its topics. */
export interface Listener {
  consumer: Consumer;
  topic: string;
  /** What it is kept by how far it has been told. */
  key: string;
}

export function listenersOf(consumers: readonly Consumer[]): Listener[] {
  return consumers.flatMap((consumer) =>
    consumer.topics.map((topic) => ({
      consumer,
      topic,
      key: consumer.name === undefined ? topic : `${topic} for ${consumer.name}`,
    })),
  );
}

export const topicsOf = (listeners: readonly Listener[]): string[] => [
  ...new Set(listeners.map(({ topic }) => topic)),
];

/** How far the events of one area have been taken in by another. */
export interface Standing {
  after: Position;
  /** By the listeners' keys: those that were passed over by versions that do not know them, and since when. */
  unheard: ReadonlyMap<string, Position>;
}

const columns = 'timeline::text as timeline, xid::text as xid, id::text as id';

/** Where the consumers of one area stand in the outbox of another. */
export class Standings {
  private readonly which: readonly [string, string];
  private readonly wanted: string;

  constructor(
    private readonly database: Database,
    source: Database,
    listeners: readonly Listener[],
  ) {
    this.which = [database.area, source.area];
    this.wanted = arrayLiteral([...new Set(listeners.map(({ key }) => key))]);
  }

  /** Where they stand now; says for all to see what is listened to from here on, where that was not the same. */
  async ask(grant: Grant): Promise<Standing> {
    const { which, wanted } = this;
    const [row] = await systemQuestions(this.database).execute<(Position & { isSame: boolean | null })[]>(
      `select ${columns}, topics @> ?::text[] and topics <@ ?::text[] as "isSame"
       from platform.consumer_position where consumer = ? and source = ?`,
      [wanted, wanted, ...which],
    );
    if (row?.isSame) return { after: row, unheard: new Map() };
    return this.inTurn(grant, async (em) => {
      await em.execute('select platform.listen_to(?, ?, ?::text[])', [...which, wanted]);
      const [after] = await em.execute<Position[]>(
        `select ${columns} from platform.consumer_position where consumer = ? and source = ?`,
        [...which],
      );
      const unheard = await em.execute<(Position & { topic: string })[]>(
        `select topic, ${columns} from platform.unheard_topic
         where consumer = ? and source = ? and topic = any(?::text[])`,
        [...which, wanted],
      );
      return { after: after!, unheard: new Map(unheard.map((each) => [each.topic, each])) };
    });
  }

  /** In the transaction of what was done about the events up to there. */
  async advance(em: SqlEntityManager, to: Position): Promise<void> {
    await em.execute('select platform.advance_consumer(?, ?, ?, ?, ?)', [...this.which, ...partsOf(to)]);
  }

  /** The same, of what is unheard. */
  async advanceUnheard(em: SqlEntityManager, { unheard }: Standing, to: Position): Promise<void> {
    await em.execute('select platform.advance_unheard(?, ?, ?::text[], ?, ?, ?)', [
      ...this.which,
      arrayLiteral([...unheard.keys()]),
      ...partsOf(to),
    ]);
  }

  /** What was unheard has been heard up to where all stand, and is from now on with all others. */
  async caughtUp(em: SqlEntityManager, { unheard }: Standing): Promise<void> {
    await em.execute('select platform.caught_up(?, ?, ?::text[])', [
      ...this.which,
      arrayLiteral([...unheard.keys()]),
    ]);
  }

  /** One transaction, in which it is certain that this process has its turn. */
  async inTurn<T>(grant: Grant, work: (em: SqlEntityManager) => Promise<T>): Promise<T> {
    return systemEm(this.database).transactional(async (em) => {
      await assertHeld(em, grant);
      return work(em);
    });
  }
}

const partsOf = ({ timeline, xid, id }: Position) => [timeline, xid, id];

/** The first of several positions. */
export const firstOf = (positions: Iterable<Position>): Position =>
  [...positions].reduce((first, each) => (isAfter(first, each) ? each : first));
