import { systemClock, type Clock } from './clock.js';
import { CommandFeed } from './commands/feed.js';
import { reporter, type Report } from './commands/report.js';
import { enroll } from './enrollment.js';
import type { AgentEvent, Stopping } from './events.js';
import { Heartbeat } from './heartbeat.js';
import { Identity } from './identity.js';
import { Visits, type VisitsOptions } from './impersonation/visits.js';
import type { AgentOptions } from './options.js';
import { Backoff, jittered } from './pace.js';
import { createPanelClient } from './panel-client.js';
import type { Enrollment } from './protocol.js';
import type { Random } from './random.js';
import { callbackOf, isLoopback, startSignInListener } from './sign-in/listener.js';
import { StateError } from './state-store.js';

export type { AgentEvent } from './events.js';
export type { AgentOptions } from './options.js';
export type { AgentCommand } from './protocol.js';

export type AgentPhase = 'stopped' | 'enrolling' | 'beating' | 'revoked';

/** One node of a fleet, from the node's side. */
export interface Agent {
  readonly phase: AgentPhase;
  /** Known once enrolled. */
  readonly instanceId: string | undefined;
  /**
   * Resolves once the agent is at work, not once it has enrolled. Rejects with a StateError when the kept state is
   * unusable, and when there is neither state nor token.
   */
  start(): Promise<void>;
  /** Reports about a command that was handed out before, such as one that a restart broke off. */
  reporter(command: { id: string; lease: string | number }): Report;
  /**
   * Tells the panel that the node is stopped, if it has heard of it and can be reached at once. Resolves when nothing of
   * the agent runs any more; may be called at any time, and start() again after it.
   */
  stop(): Promise<void>;
}

/** The interval until the panel has offered one. */
const defaultHeartbeatSeconds = 30;

interface Run {
  readonly ending: AbortController;
  readonly cut: AbortController;
  done: Promise<void>;
  /** Whether the panel has heard of this run, and has not revoked the node since. */
  isHeard: boolean;
  departing?: Promise<void>;
}

/** Builds a node's agent; any number of them may live in one process, as long as each has a state store of its own. */
export function createAgent(options: AgentOptions): Agent {
  return new NodeAgent(options);
}

class NodeAgent implements Agent {
  #phase: AgentPhase = 'stopped';
  #identity: Identity | undefined;
  #run: Run | undefined;
  #signIn: { stop(): Promise<void> } | undefined;
  #feed: CommandFeed | undefined;
  #heartbeat: Heartbeat | undefined;
  readonly #clock: Clock;
  readonly #random: Random;

  constructor(private readonly options: AgentOptions) {
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? Math.random;
  }

  get phase(): AgentPhase {
    return this.#phase;
  }

  get instanceId(): string | undefined {
    return this.#identity?.current?.instanceId;
  }

  async start(): Promise<void> {
    if (this.#run !== undefined) throw new Error('The agent is running already');
    const { signIn, baseUrl } = this.options;
    if (signIn === true && (baseUrl === undefined || !isLoopback(baseUrl))) {
      throw new Error('To serve its own sign-in a node needs a base URL like http://127.0.0.1:4101');
    }
    const run: Run = {
      ending: new AbortController(),
      cut: new AbortController(),
      done: Promise.resolve(),
      isHeard: false,
    };
    this.#run = run;
    try {
      const { stateStore, panelUrl, logger, enrollmentToken } = this.options;
      const identity = new Identity(stateStore, panelUrl, logger);
      await identity.open();
      if (identity.current === undefined) {
        if (enrollmentToken === undefined) {
          throw new StateError(`There is no state in ${stateStore.location}, and no token to enroll with`);
        }
        await stateStore.prepare();
      }
      this.#identity = identity;
      this.#feed = this.#commandFeed(identity);
      await this.#serveSignIn(identity);
      run.done = this.#live(identity, { ending: run.ending.signal, cut: run.cut.signal });
    } catch (error) {
      this.#run = undefined;
      throw error;
    }
  }

  reporter(command: { id: string; lease: string | number }): Report {
    return async (body) => {
      if (this.#identity === undefined) return { kind: 'unavailable', message: 'the agent has not started' };
      return reporter(this.#context(this.#identity), command)(body);
    };
  }

  async stop(): Promise<void> {
    const run = this.#run;
    if (run === undefined) return;
    run.ending.abort();
    // The answer in flight may hold a new credential: it is worth a moment.
    const timer = setTimeout(() => run.cut.abort(), this.options.stopGraceMs ?? 2_000);
    await run.done;
    await (run.departing ??= this.#depart(run));
    clearTimeout(timer);
    this.#feed?.stop();
    this.options.licences?.stop();
    await this.#signIn?.stop();
    this.#signIn = undefined;
    if (this.#run === run) this.#run = undefined;
  }

  /** Tells the panel that the silence from now on is meant. Not being heard in this is no reason to stay. */
  async #depart({ isHeard, cut }: Run): Promise<void> {
    const identity = this.#identity;
    if (!isHeard || identity?.current === undefined) return;
    const { client, log } = this.#context(identity);
    const outcome = await client.depart(identity.current.credential, cut.signal);
    if (outcome.kind === 'ok') log.info('The panel knows that this agent stops');
    else log.info({ reason: outcome.message }, 'The panel could not be told that this agent stops');
  }

  async #live(identity: Identity, stopping: Stopping): Promise<void> {
    const { logger } = this.options;
    const backoff = new Backoff(this.#random);
    while (!stopping.ending.aborted) {
      try {
        await this.#work(identity, stopping);
      } catch (error) {
        if (stopping.ending.aborted) break;
        // No ending that the agent knows of leads here; whatever it was, the node must not fall silent.
        logger.error({ err: error }, 'The agent stumbled and starts over');
        await this.#clock.delay(1_000 + backoff.next(), stopping.ending).catch(() => undefined);
      }
    }
    this.#phase = 'stopped';
    this.#tell({ type: 'stopped' });
  }

  /** Enrolls if need be and beats; after a revocation it looks around now and then. Ends only by rejecting. */
  async #work(identity: Identity, stopping: Stopping): Promise<never> {
    const { logger: log, enrollmentToken, firstBeatWithinMs } = this.options;
    const refusedRetryMs = this.options.refusedRetryMs ?? 900_000;
    const context = { ...this.#context(identity), refusedRetryMs };
    let heartbeat: Heartbeat | undefined;
    let firstWaitMs: number | undefined;
    for (;;) {
      if (identity.current === undefined) {
        this.#phase = 'enrolling';
        heartbeat = new Heartbeat(context, await enroll(context, this.#enrollment(), stopping));
        firstWaitMs = undefined;
      }
      // A revoked node that tries again stays revoked until a beat of it is accepted.
      if (this.#phase !== 'revoked') this.#phase = 'beating';
      heartbeat ??= new Heartbeat(context, defaultHeartbeatSeconds);
      this.#heartbeat = heartbeat;
      firstWaitMs ??= this.#random() * (firstBeatWithinMs ?? heartbeat.intervalMs);
      const message = await heartbeat.run(firstWaitMs, stopping);

      this.#phase = 'revoked';
      const retryInMs = jittered(refusedRetryMs, this.#random);
      log.error(
        { reason: message, instanceId: this.instanceId, retryInMs: Math.round(retryInMs) },
        'The panel has revoked this node; to enroll it anew remove its state and give it a token',
      );
      this.#tell({ type: 'revoked', message, retryInMs });
      await this.#clock.delay(retryInMs, stopping.ending);
      const before = this.instanceId;
      await identity.reopen(enrollmentToken !== undefined);
      // Readings of one instance are nothing to another.
      if (this.instanceId !== before) heartbeat = undefined;
      firstWaitMs = 0;
    }
  }

  #context(identity: Identity) {
    const { panelUrl, metrics, logger, onCommand, requestTimeoutMs } = this.options;
    const version = () => this.#version();
    const clock = this.#clock;
    const client = createPanelClient({
      panelUrl,
      clock,
      fetch: this.options.fetch ?? fetch,
      timeoutMs: requestTimeoutMs ?? 15_000,
    });
    const tell = (event: AgentEvent) => this.#tell(event);
    return { identity, client, metrics, version, clock, random: this.#random, log: logger, tell, onCommand };
  }

  #enrollment(): Enrollment {
    const { enrollmentToken: token, name, hostname, baseUrl, signIn, redirectUris = [] } = this.options;
    if (token === undefined) throw new StateError('There is no token to enroll with');
    const own = signIn === true && baseUrl !== undefined ? [callbackOf(baseUrl)] : [];
    const version = this.#version();
    const uris = [...new Set([...redirectUris, ...own])];
    return { token, name, hostname, version, baseUrl, ...(uris.length === 0 ? {} : { redirectUris: uris }) };
  }

  #version(): string {
    const { version } = this.options;
    return typeof version === 'function' ? version() : version;
  }

  #commandFeed(identity: Identity): CommandFeed | undefined {
    const { panelUrl, logger, listen, onCommand, socketAgent } = this.options;
    if (listen !== true || onCommand === undefined) return undefined;
    const credential = () => identity.current?.credential;
    return new CommandFeed({
      panelUrl,
      logger,
      credential,
      random: this.#random,
      socketAgent,
      onCommand: (command) => this.#heartbeat?.hand(command),
    });
  }

  async #serveSignIn(identity: Identity): Promise<void> {
    const { signIn, baseUrl, panelUrl, issuer = panelUrl, name, logger } = this.options;
    if (signIn !== true || baseUrl === undefined) return;
    try {
      this.#signIn = await startSignInListener({
        panelUrl,
        issuer,
        baseUrl,
        name,
        logger,
        clientId: () => this.instanceId,
        visits: this.#visits(identity),
        clock: this.#clock,
        fetch: this.options.fetch ?? fetch,
      });
    } catch (error) {
      logger.error({ err: error, baseUrl }, 'The sign-in page cannot be served; the node goes on without it');
    }
  }

  #visits(identity: Identity): Visits {
    const { client, log: logger } = this.#context(identity);
    const redeem: VisitsOptions['redeem'] = async (token) => {
      const credential = identity.current?.credential;
      if (credential === undefined) return { kind: 'unavailable', message: 'the node has not enrolled' };
      return client.redeem(credential, token, new AbortController().signal);
    };
    return new Visits({ redeem, logger, clock: this.#clock });
  }

  #tell(event: AgentEvent): void {
    if (event.type === 'beat-accepted') {
      this.#phase = 'beating';
      this.#feed?.start();
      this.options.licences?.start(() => this.#identity?.current);
    }
    if (this.#run && (event.type === 'beat-accepted' || event.type === 'revoked'))
      this.#run.isHeard = event.type === 'beat-accepted';
    try {
      this.options.onEvent?.(event);
    } catch (error) {
      this.options.logger.error({ err: error, event: event.type }, 'The listener of agent events failed');
    }
  }
}
