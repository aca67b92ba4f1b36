import { setTimeout as sleep } from 'node:timers/promises';

import type { Client } from './client.js';

const askEveryMs = 400;
const answerWithinMs = 4_000;

interface Status {
  mode: string;
  status: 'healthy' | 'degraded';
  leader: string | null;
  nodes: number;
  last_failover: string | null;
}

interface Node {
  id: string;
  name: string;
  role: 'leader' | 'follower';
  status: 'healthy' | 'draining' | 'offline';
}

/** What GET /api/cc/ha/status and /nodes said at one moment. */
export interface View {
  /** In milliseconds of `performance.now()`. */
  at: number;
  status: Status;
  nodes: Node[];
}

/** What they said from before a fault until all was whole again. */
export interface Seen {
  before: View;
  during: readonly View[];
  after: View;
  /** How often the answer was 503: what is measured in the database cannot be told without it. */
  unavailable: number;
  /** Any other answers, in words. */
  refused: readonly string[];
}

/** Reads /api/cc/ha/* all the time, as an administrator of the platform does. */
export class HaWatch {
  private views: View[] = [];
  private unavailable = 0;
  private refused = new Set<string>();
  private isOver = false;
  private loop: Promise<void> | undefined;

  constructor(private readonly client: Client) {}

  start(): void {
    this.loop = this.follow();
  }

  async stop(): Promise<void> {
    this.isOver = true;
    await this.loop;
  }

  /** What is said while `work` goes on. */
  async during(work: () => Promise<void>): Promise<Seen> {
    const before = await this.next();
    this.views = [];
    this.unavailable = 0;
    this.refused = new Set();
    await work();
    const { views: during, unavailable, refused } = this;
    return { before, during, unavailable, after: await this.settled(), refused: [...refused] };
  }

  /** The first view by which all is well, or the last: Patroni looks around every 5 s, and the panel at what it has found. */
  private async settled(): Promise<View> {
    let view = await this.next();
    for (const end = performance.now() + 20_000; performance.now() < end; view = await this.next()) {
      if (view.status.status === 'healthy') break;
      await sleep(askEveryMs);
    }
    return view;
  }

  /** The next view that there is. */
  private async next(): Promise<View> {
    for (const end = performance.now() + 60_000; performance.now() < end; await sleep(askEveryMs)) {
      const view = await this.look();
      if (view !== 'unavailable') return view;
    }
    throw new Error('/api/cc/ha/* has not answered within 60 s');
  }

  private async follow(): Promise<void> {
    while (!this.isOver) {
      const view = await this.look();
      if (view === 'unavailable') this.unavailable += 1;
      else this.views.push(view);
      await sleep(askEveryMs);
    }
  }

  private async look(): Promise<View | 'unavailable'> {
    const ask = async (what: string) =>
      this.client.call('GET', `/api/cc/ha/${what}`, { withinMs: answerWithinMs });
    const answers = await Promise.all([ask('status'), ask('nodes')]).catch(() => undefined);
    // Cut, or not in time.
    if (!answers) return 'unavailable';
    const [status, nodes] = answers;
    for (const answer of answers)
      if (answer.status !== 200 && answer.status !== 503)
        this.refused.add(`it was answered with ${answer.status} ${JSON.stringify(answer.body)}`);
    if (status.status !== 200 || nodes.status !== 200) return 'unavailable';
    return { at: performance.now(), status: status.body as Status, nodes: nodes.body as Node[] };
  }
}

/** What of a fault was not to be seen at /api/cc/ha/*, in words. */
export type Reflection = (seen: Seen) => string[];

/** Once all is whole again. */
export const isWholeAgain: Reflection = ({ before, after: { status, nodes }, refused }) => [
  ...refused,
  ...(before.status.status === 'healthy' ? [] : [`it was ${before.status.status} before`]),
  ...(status.mode === 'active-passive' ? [] : [`its mode is ${status.mode}`]),
  ...(status.status === 'healthy' ? [] : [`it is ${status.status} although all is back`]),
  ...(status.nodes === 3 ? [] : [`it tells of ${status.nodes} nodes`]),
  ...(status.leader !== null && nodes.some(({ name, role }) => role === 'leader' && name === status.leader)
    ? []
    : [`it names ${status.leader ?? 'nobody'} as the leader`]),
];

/** Another server of the database leads than before. */
export const hasFailedOver: Reflection = ({ before, after }) =>
  after.status.last_failover === before.status.last_failover ? ['last_failover is what it was'] : [];

/** It was seen that something is missing, or that the database gives no answer. */
export const wasMissed: Reflection = ({ during, unavailable }) =>
  unavailable > 0 || during.some(({ status }) => status.status === 'degraded')
    ? []
    : ['it was never degraded, and never 503'];

/** It was seen, by those who answered, that a server of the database is missing. */
export const wasDegraded: Reflection = ({ during }) =>
  during.some(({ status }) => status.status === 'degraded') ? [] : ['it was never degraded'];

/** It was seen, for so many seconds on end, that a server of the database is missing. */
export const wasDegradedFor =
  (seconds: number): Reflection =>
  ({ during }) => {
    let since: number | undefined;
    let longest = 0;
    for (const { at, status } of during) {
      since = status.status === 'degraded' ? (since ?? at) : undefined;
      longest = Math.max(longest, at - (since ?? at));
    }
    const told = longest / 1000;
    return told >= seconds ? [] : [`it was degraded for ${told.toFixed(1)} s only`];
  };

/** A process has ended, and another one has come in its place. */
export const wasReplaced =
  (node: string): Reflection =>
  ({ before, during, after }) => {
    const idOf = ({ nodes }: View) =>
      nodes.find(({ name, status }) => name === node && status === 'healthy')?.id;
    const wasAway = during.some((view) => idOf(view) === undefined && view.status.nodes < 3);
    return [
      ...(wasAway ? [] : [`${node} was never missing`]),
      ...(idOf(after) === undefined || idOf(after) === idOf(before) ? [`${node} is no other process`] : []),
    ];
  };

/** It answers all the while, as nothing of it is kept there. */
export const wasThere: Reflection = ({ unavailable }) =>
  unavailable === 0 ? [] : [`it was not answered ${unavailable} times`];
