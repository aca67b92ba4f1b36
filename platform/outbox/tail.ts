import { systemClock } from '../clock.js';
import type { Database, RowReader } from '../database/database.js';
import type { Logger } from '../logger.js';
import { untilRound } from '../rounds.js';
import { isAfter, type DeliveredEvent, type Position } from './event.js';
import { endOfOutbox, isKept, lookAhead, readAhead } from './reader.js';
import { recordTimeline } from './timeline.js';
import type { OutboxWake } from './wake.js';

const batch = 500;
// A notification tells of new events; this is for what none could tell of.
const pollMs = 5_000;
const retryMs = 1_000;
// An event that waits for older transactions to end is looked for again soon.
const settleMs = [5, 10, 20, 40, 80];

export type EventListener = (event: DeliveredEvent) => void;

interface Listener {
  onEvent: EventListener;
  onRewound: () => void;
}

/**
 * Follows one area's outbox for this process and hands each event, once and in order, to whoever listens. It reads
 * the table itself, whichever process wrote it, so there is no second path that could lose or reorder events.
 *
 * The server may become another one under it. Where the database knows the tail's timeline it reads on; in one that was
 * put back to before that, it goes on with the first timeline that is new to it. Either way its listeners are told when
 * the new server has not got what was handed out last.
 */
export class OutboxTail {
  private readonly listeners = new Set<Listener>();
  private position: Position | undefined;
  private timelines: readonly string[] = [];
  private running: Promise<void> | undefined;
  private isWoken = false;
  private isStopped = false;
  private wakeUp: (() => void) | undefined;
  private stopListening: (() => void) | undefined;

  constructor(
    private readonly database: Database,
    private readonly wake: OutboxWake,
    private readonly logger: Logger,
  ) {}

  async start(): Promise<void> {
    const questions = this.database.questionsForJobs();
    [this.timelines, this.position] = await Promise.all([recordTimeline(questions), endOfOutbox(questions)]);
    this.stopListening = this.wake.onWake(this.database.area, () => {
      this.isWoken = true;
      this.wakeUp?.();
    });
    this.running = this.follow();
  }

  /**
   * Adds a listener and answers the position before its first event. `onRewound` is called when events that were handed
   * out are no part of the database any more.
   */
  listen(
    onEvent: EventListener,
    onRewound: () => void = () => undefined,
  ): { from: Position; stop: () => void } {
    if (!this.position) throw new Error('the outbox tail has not started');
    const listener = { onEvent, onRewound };
    this.listeners.add(listener);
    return { from: this.position, stop: () => this.listeners.delete(listener) };
  }

  async stop(): Promise<void> {
    this.isStopped = true;
    this.stopListening?.();
    this.wakeUp?.();
    await this.running;
  }

  private async follow(): Promise<void> {
    let attempt = 0;
    // The server that answers again after a failure may be another one.
    let mayBeAnother = false;
    // All tails of a process begin together.
    let reader = this.database.questionsForJobs();
    while (!this.isStopped) {
      if (this.isWoken) attempt = 0;
      this.isWoken = false;
      const found = await this.read(reader);
      reader = this.database.readerForJobs();
      if (found === 'more') continue;
      if (found === 'failure') mayBeAnother = true;
      if (found === 'nothing' && mayBeAnother) {
        await this.lookForRewind();
        mayBeAnother = false;
      }
      if (found === 'unsettled') await this.pause(settleMs[attempt] ?? retryMs);
      else if (found === 'failure') await this.pause(retryMs);
      else if ((await this.untilNews()) === 'failure') mayBeAnother = true;
      attempt += 1;
    }
  }

  /** Looks every few seconds whether there is more than anybody told of, at once with all that this process looks for. */
  private async untilNews(): Promise<'news' | 'failure'> {
    const { area } = this.database;
    while (!this.isWoken && !this.isStopped) {
      const over = new AbortController();
      this.wakeUp = () => over.abort();
      await untilRound(systemClock, pollMs, over.signal);
      this.wakeUp = undefined;
      if (over.signal.aborted) break;
      try {
        const seen = await lookAhead(this.database.questionsForJobs(), area, this.position!);
        if (!seen.isKnown || seen.timeline !== this.timelines.at(-1)) await this.lookForRewind();
        if (seen.hasMore) break;
      } catch (error) {
        this.warn(error);
        return 'failure';
      }
    }
    return 'news';
  }

  private async read(reader: RowReader): Promise<'more' | 'some' | 'nothing' | 'unsettled' | 'failure'> {
    try {
      const { events, hasUnsettled } = await readAhead(reader, this.database.area, {
        after: this.position!,
        limit: batch,
      });
      if (events[0] && events[0].position.timeline !== this.position!.timeline) {
        const before = this.position;
        await this.lookForRewind();
        if (this.position !== before) return 'more';
      }
      await this.database.heard(new Set(events.map(({ tenantId }) => tenantId)));
      for (const event of events) this.deliver(event);
      if (events.length === batch) return 'more';
      if (hasUnsettled) return 'unsettled';
      return events.length === 0 ? 'nothing' : 'some';
    } catch (error) {
      this.warn(error);
      return 'failure';
    }
  }

  /**
   * Reading nothing may also mean that the position is of a history that this database has not had. One that follows on
   * it may lack its end: what was read is then all there is of it, but some of what was handed out never came to be.
   */
  private async lookForRewind(): Promise<void> {
    try {
      const reader = this.database.readerForJobs();
      const timelines = await recordTimeline(reader);
      const { timeline } = this.position!;
      const next = timelines.includes(timeline)
        ? undefined
        : (timelines.find((each) => !this.timelines.includes(each)) ?? timelines.at(-1)!);
      const isOther = timelines.at(-1) !== this.timelines.at(-1);
      const isRewound =
        next !== undefined || (isOther && !(await isKept(reader, this.database.area, this.position!)));
      if (next !== undefined) this.position = { timeline: next, xid: '0', id: '0' };
      this.timelines = timelines;
      if (!isRewound) return;
      this.logger.warn(
        { area: this.database.area, timeline, next },
        'the database was put back to an earlier state: its events are followed from there on',
      );
      for (const { onRewound } of this.listeners) onRewound();
    } catch (error) {
      this.warn(error);
    }
  }

  private warn(error: unknown): void {
    if (this.isStopped) return;
    this.logger.warn({ err: error, area: this.database.area }, 'the outbox could not be read');
  }

  private deliver(event: DeliveredEvent): void {
    if (!isAfter(event.position, this.position!)) return;
    this.position = event.position;
    for (const { onEvent } of this.listeners) {
      try {
        onEvent(event);
      } catch (error) {
        this.logger.error({ err: error, topic: event.topic }, 'a listener failed on an event');
      }
    }
  }

  private async pause(ms: number): Promise<void> {
    if (this.isWoken || this.isStopped) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.wakeUp = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.wakeUp = undefined;
  }
}
