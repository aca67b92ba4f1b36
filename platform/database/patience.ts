import { AsyncLocalStorage } from 'node:async_hooks';

/** How long one may wait for the database. All in milliseconds. */
export interface Patience {
  /** Whose connections are taken: neither part can use up the other's. */
  part: 'requests' | 'background';
  /** The server cancels a statement that runs longer. */
  statement: number;
  /** The server gives up a statement that waits longer for one lock. Below `statement`, so that the cause is named. */
  lock: number;
  /** The server ends a transaction in which nothing happens for longer: its process is frozen, and holds locks. */
  idleInTransaction: number;
  /**
   * The connection is cut when the server has said nothing for this long to what it was asked. Above `statement`: it is
   * for a server that is frozen, or a connection that was lost without a word.
   */
  answer: number;
}

/**
 * How to read this table: whoever waits in the name of the left has the deadlines on the right. What asks for none waits
 * as a request does.
 */
export const patience = {
  // Someone waits for the answer. Statements of requests take milliseconds; seconds mean that something is wrong, and
  // the client is told to come back rather than kept.
  request: {
    part: 'requests',
    statement: 5_000,
    lock: 4_000,
    idleInTransaction: 15_000,
    answer: 6_500,
  },
  // Batches of beats: nodes wait for them as clients do, but one statement stores hundreds. A beat may wait for the batch
  // before its own to be cut off and then for a connection, and is answered within the time of any other request.
  beats: {
    part: 'requests',
    statement: 6_000,
    lock: 4_000,
    idleInTransaction: 15_000,
    answer: 7_000,
  },
  // Sweeps, consumers and jobs take bounded batches; nobody waits for one of them, yet all behind it do.
  background: {
    part: 'background',
    statement: 20_000,
    lock: 10_000,
    idleInTransaction: 30_000,
    answer: 25_000,
  },
  // Rollups, erasure and retention go through as much as there is. A lock is not worth more of it: others queue up
  // behind one who waits.
  long: {
    part: 'background',
    statement: 300_000,
    lock: 10_000,
    idleInTransaction: 60_000,
    answer: 310_000,
  },
} as const satisfies Record<string, Patience>;

/** What is not in one of those rows, in milliseconds. */
export const waits = {
  /** For a connection of the owner, who migrates when the panel starts. */
  ownerConnect: 10_000,
  /** For another process that migrates, and at a start for the database itself. */
  migration: 600_000,
  /**
   * For a table that is to be changed, each time: all who come after queue up behind one who waits, and requests wait for a
   * lock no longer than `request.lock`. It is tried again after a pause, for as long as for another that migrates.
   */
  migrationLock: 2_000,
  migrationPause: 1_000,
  /**
   * For a new connection, and for a free one by who takes it: behind a request is someone, work can wait its turn, and
   * in the place of a replica there is the primary.
   */
  connect: 5_000,
  free: { requests: 5_000, background: 30_000, replicas: 1_000 },
  /**
   * Before a connection that nobody uses is closed, and any other is made anew. To begin one costs the server a process
   * and the reading of its catalogue, some 100 ms of its CPU; what it has read meanwhile stays in its memory.
   */
  idle: 300_000,
  lifetime: 3_600_000,
  /** For the answer to a sign of life on a connection that otherwise only listens. */
  heartbeat: 3_000,
  /** Between two of them. */
  heartbeatEvery: 5_000,
  /** Before a lost connection that only listens is made anew. */
  reconnect: 1_000,
  /** Before the operating system asks whether the other end is still there. */
  keepAlive: 5_000,
  /** For statements under way when a process closes its pool. */
  close: 5_000,
  /** For the server's part of a goodbye. */
  goodbye: 1_000,
  /** For the answer to "are you ready". */
  ready: 1_500,
} as const;

const current = new AsyncLocalStorage<Patience>();

/** Runs `work`, and whatever it awaits, with these deadlines. They hold for transactions begun inside. */
export function withPatience<T>(chosen: Patience, work: () => T): T {
  return current.run(chosen, work);
}

export function currentPatience(): Patience {
  return current.getStore() ?? patience.request;
}

/** The server's part of the deadlines as settings of a transaction: no start-up parameter, which pgbouncer refuses. */
export function deadlineSettings({ statement, lock, idleInTransaction }: Patience): Record<string, string> {
  return {
    statement_timeout: String(statement),
    lock_timeout: String(lock),
    idle_in_transaction_session_timeout: String(idleInTransaction),
  };
}
