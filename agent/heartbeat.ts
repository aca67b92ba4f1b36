import { elapsedBy, type Clock } from './clock.js';
import { reporter, type Report } from './commands/report.js';
import type { Stopping, Tell } from './events.js';
import type { Identity } from './identity.js';
import type { AgentLogger } from './logger.js';
import { degradedBy, type MetricsSource } from './metrics/source.js';
import { Backoff, intervalMs, jittered, politeDelay } from './pace.js';
import type { Outcome, PanelClient } from './panel-client.js';
import { beatBody, maxSamples, type AgentCommand, type BeatAnswer } from './protocol.js';
import type { Random } from './random.js';
import { SampleBuffer, type Sample } from './sample-buffer.js';
import { Timeline } from './timeline.js';

export interface HeartbeatContext {
  readonly identity: Identity;
  readonly client: PanelClient;
  readonly metrics: MetricsSource;
  readonly version: () => string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: AgentLogger;
  readonly tell: Tell;
  readonly onCommand?: (command: AgentCommand, report: Report) => void | Promise<void>;
}

type Ending = { readonly kind: 'accepted' } | Failed | Revoked;
type Failed = { readonly kind: 'failed'; readonly retryInMs: number };
type Away = {
  readonly message: string;
  readonly retryAfterMs?: number;
  readonly isWorded?: true;
  readonly isStranger?: true;
};
type Revoked = { readonly kind: 'revoked'; readonly message: string };

/** How much of an outage can be told afterwards. */
const rememberedMs = 3_600_000;
/** An hour at the usual pace: a panel that was restored from a backup has them again by then. */
const factsAgainAfter = 120;
/** Statuses that blame the body: sending the same again can't help. */
const unacceptable = new Set([400, 413, 422]);

/** The beats of one enrolled node. One loop does everything in turn, so there are never two beats in flight. */
export class Heartbeat {
  #intervalMs: number;
  readonly #missed: SampleBuffer;
  readonly #backoff: Backoff;
  readonly #timeline: Timeline;
  #batch = maxSamples;
  /** The facts that the panel has acknowledged, and how many beats ago. */
  #factsTold: { text: string; beatsAgo: number } | undefined;
  /** Since when the panel has taken no beats, by what has elapsed; undefined while it takes them. */
  #awaySince: number | undefined;

  constructor(
    private readonly context: HeartbeatContext,
    offeredSeconds: number,
  ) {
    this.#intervalMs = intervalMs(offeredSeconds);
    this.#missed = new SampleBuffer(capacityFor(this.#intervalMs));
    this.#timeline = new Timeline(context.clock, context.log);
    this.#backoff = new Backoff(context.random, 1_000, longestRetry(this.#intervalMs));
  }

  get intervalMs(): number {
    return this.#intervalMs;
  }

  /**
   * Beats until the panel revokes the credential, and answers its words for that; rejects when stopped. Waits are kept
   * as lengths, not as times of day, so that a clock set back can't silence the node.
   */
  async run(firstWaitMs: number, stopping: Stopping): Promise<string> {
    const { clock, random } = this.context;
    let untilReading = firstWaitMs;
    let untilRetry: number | undefined;
    for (;;) {
      const wait = Math.min(untilReading, untilRetry ?? Infinity);
      await clock.delay(wait, stopping.ending);
      untilReading -= wait;
      if (untilRetry !== undefined) untilRetry -= wait;

      if (untilRetry !== undefined && untilRetry > 0) {
        // The panel is left alone for now, but the readings of the outage are kept at their usual pace.
        const sample = await this.#read();
        if (sample !== undefined) this.#missed.push(sample);
      } else {
        const ending = await this.#beat(stopping.cut);
        if (ending.kind === 'revoked') return ending.message;
        untilRetry = ending.kind === 'failed' ? ending.retryInMs : undefined;
      }
      untilReading = jittered(this.#intervalMs, random);
    }
  }

  async #beat(cut: AbortSignal): Promise<Ending> {
    const { identity, client, version } = this.context;
    await identity.settle();
    const sample = await this.#read();
    if (sample === undefined) return this.#failed('the metrics could not be read');
    const credential = identity.current?.credential;
    if (credential === undefined) return this.#failed('the node has not enrolled');
    const older = this.#missed.oldest(this.#batch);
    // Not a moment later: a beat whose answer is lost comes back as a sample with this very timestamp, and by it the
    // panel knows that it has the sample already.
    const sentAt = sample.takenAt;
    const facts = JSON.stringify(sample.metrics.facts ?? null);
    const isTold = this.#factsTold?.text === facts && this.#factsTold.beatsAgo < factsAgainAfter;
    const body = beatBody(sample, older, { version: version(), sentAt, withFacts: !isTold });
    const outcome = await client.beat(credential, body, cut);
    if (outcome.kind === 'ok') {
      this.#factsTold = { text: facts, beatsAgo: isTold ? (this.#factsTold?.beatsAgo ?? 0) + 1 : 0 };
    } else cut.throwIfAborted();
    return this.#settle(outcome, sample, older);
  }

  async #settle(outcome: Outcome<BeatAnswer>, sample: Sample, older: readonly Sample[]): Promise<Ending> {
    switch (outcome.kind) {
      case 'ok':
        await this.#accepted(outcome.answer, sample, older);
        return { kind: 'accepted' };
      case 'unauthorized':
        this.#missed.push(sample);
        return { kind: 'revoked', message: outcome.message };
      case 'refused':
        // What is too long for a proxy is so at each try.
        if (outcome.status === 413 || (unacceptable.has(outcome.status) && outcome.isStranger !== true)) {
          this.#doubt(sample, older);
          return this.#failed(outcome.message);
        }
        this.#missed.push(sample);
        return this.#away(outcome);
      case 'unavailable':
        this.#missed.push(sample);
        return this.#away(outcome);
    }
  }

  async #accepted(answer: BeatAnswer, sample: Sample, older: readonly Sample[]): Promise<void> {
    const { clock, identity, log, tell } = this.context;
    this.#missed.remove(older);
    this.#batch = Math.min(maxSamples, this.#batch * 4);
    this.#backoff.reset();
    this.#intervalMs = intervalMs(answer.heartbeatSeconds);
    this.#missed.resize(capacityFor(this.#intervalMs));
    this.#backoff.capMs = longestRetry(this.#intervalMs);
    const waiting = this.#missed.size;
    if (this.#awaySince !== undefined) {
      const awaySeconds = Math.round((elapsedBy(clock) - this.#awaySince) / 1000);
      log.info({ awaySeconds, replayed: older.length, waiting }, 'The panel is back and takes beats again');
      this.#awaySince = undefined;
    }
    log.debug({ sequence: sample.sequence, replayed: older.length, waiting }, 'Beat accepted');
    if (answer.credential !== undefined && (await identity.renew(answer.credential))) {
      log.info('The panel renewed the credential');
      tell({ type: 'credential-renewed' });
    }
    tell({ type: 'beat-accepted', sequence: sample.sequence, replayed: older.length, waiting });
    for (const command of answer.commands) this.hand(command);
  }

  /**
   * The panel finds something wrong with the body. Fewer samples go along from now on, until the one that it can't
   * take travels alone and is given up: one bad reading must not keep the node silent for good.
   */
  #doubt(sample: Sample, older: readonly Sample[]): void {
    if (older.length === 0) return;
    if (older.length === 1) this.#missed.remove(older);
    this.#batch = Math.max(1, Math.floor(older.length / 4));
    this.#missed.push(sample);
  }

  /** The panel takes no beats just now. That is told once in full, and once more when it is over. */
  #away({ message, isStranger, isWorded, retryAfterMs: asked }: Away): Failed {
    // Something before a panel that is away says an hour as readily as a minute, and does not know when it is back.
    const retryAfterMs = isWorded || asked === undefined ? asked : Math.min(asked, this.#backoff.capMs);
    const isFirst = this.#awaySince === undefined;
    this.#awaySince ??= elapsedBy(this.context.clock);
    if (isStranger) return this.#failed(message, retryAfterMs, 'What answers at this address is no panel');
    const meanwhile = 'readings are kept, an hour of them, and told when the panel is back';
    return this.#failed(message, retryAfterMs, isFirst ? `Beat failed; ${meanwhile}` : undefined);
  }

  #failed(message: string, retryAfterMs?: number, what = 'Beat failed'): Failed {
    const { log, random, tell } = this.context;
    const retryInMs = retryAfterMs === undefined ? this.#backoff.next() : politeDelay(retryAfterMs, random);
    const waiting = this.#missed.size;
    log.warn({ reason: message, retryInMs: Math.round(retryInMs), waiting }, what);
    tell({ type: 'beat-failed', message, retryInMs, waiting });
    return { kind: 'failed', retryInMs };
  }

  async #read(): Promise<Sample | undefined> {
    const { identity, log, metrics } = this.context;
    try {
      const reading = await metrics.collect();
      const sequence = await identity.nextSequence();
      const takenAt = this.#timeline.next(this.#missed.size > 0);
      return { sequence, takenAt, metrics: degradedBy(identity.problem, reading) };
    } catch (error) {
      log.error({ err: error }, 'The metrics could not be read');
      return undefined;
    }
  }

  /** Not awaited: a command may take minutes, and the beats go on meanwhile. */
  hand(command: AgentCommand): void {
    const { log, onCommand } = this.context;
    if (onCommand === undefined) {
      log.debug({ command: command.id }, 'A command was left alone: this agent has nothing to run it');
      return;
    }
    const report = reporter(this.context, command);
    void (async () => onCommand(command, report))().catch((error: unknown) =>
      log.error({ err: error, command: command.id }, 'The command could not be taken up'),
    );
  }
}

/** Shorter than the panel's patience, so that a node which is there is heard within it once the panel is back. */
function longestRetry(interval: number): number {
  return Math.min(2 * interval, 300_000);
}

function capacityFor(interval: number): number {
  return Math.max(10, Math.ceil(rememberedMs / interval));
}
