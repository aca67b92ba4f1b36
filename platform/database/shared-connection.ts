import type { Connections, TakenClient } from './connections.js';
import { currentPatience, type Patience } from './patience.js';
import type { PreparingConnection } from './prepared-read.js';

/** How many may share one: the last of them waits for all the others. */
const most = 4;

interface Turn {
  patience: Patience;
  client: Promise<TakenClient>;
  asked: number;
  /** Who is not done with it; until the turn is over it counts as one itself. */
  users: number;
  isOver: boolean;
}

/**
 * A connection for whoever asks in one turn of the event loop. Their messages leave in one write, each a transaction of
 * its own, and the server answers one after the other: on a busy process that spares a good part of what a short
 * statement costs. On one that is not hardly any two ask in the same turn. Whoever is behind one that takes long fails
 * with the connection when it has waited as long as it would have for a server that says nothing.
 */
export class SharedConnection {
  private turn: Turn | undefined;

  constructor(private readonly connections: Connections) {}

  async take(): Promise<PreparingConnection> {
    const patience = currentPatience();
    let { turn } = this;
    if (!turn || turn.patience !== patience || turn.asked === most) turn = this.begin(patience);
    turn.asked += 1;
    turn.users += 1;
    const shared = turn;
    const client = await shared.client;
    return {
      statements: client.statements,
      query: (query) => client.query(query),
      release: () => leave(shared, client),
    };
  }

  private begin(patience: Patience): Turn {
    const turn: Turn = { patience, client: this.connections.take(), asked: 0, users: 1, isOver: false };
    this.turn = turn;
    const open = (client: TakenClient): TakenClient => {
      client.pipeline = true;
      if (!turn.isOver) client.connection.stream.cork();
      return client;
    };
    // That there is no connection is told to those who asked; it may be known before this turn is over.
    const opened = turn.client.then(open, () => undefined);
    const close = (client: TakenClient): void => {
      client.connection.stream.uncork();
      leave(turn, client);
    };
    // After all that had come by this turn was read.
    setImmediate(() => {
      turn.isOver = true;
      if (this.turn === turn) this.turn = undefined;
      void opened.then((client) => client && close(client));
    });
    return turn;
  }
}

function leave(turn: Turn, client: TakenClient): void {
  turn.users -= 1;
  if (turn.users > 0) return;
  client.pipeline = false;
  client.release();
}
