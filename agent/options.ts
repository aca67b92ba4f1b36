import type { Agent as SocketAgent } from 'node:http';

import type { Clock } from './clock.js';
import type { Report } from './commands/report.js';
import type { AgentEvent } from './events.js';
import type { LicenceKeeper } from './licence/keeper.js';
import type { AgentLogger } from './logger.js';
import type { MetricsSource } from './metrics/source.js';
import type { AgentCommand } from './protocol.js';
import type { Random } from './random.js';
import type { StateStore } from './state-store.js';

/** What an agent is told about its node, its panel and the program it runs in. */
export interface AgentOptions {
  readonly panelUrl: string;
  /** Needed once: while the state exists it is never sent. */
  readonly enrollmentToken?: string;
  readonly name: string;
  readonly hostname: string;
  /** The Cloud OS version the node reports; asked at each beat where it may change. */
  readonly version: string | (() => string);
  readonly baseUrl?: string;
  readonly redirectUris?: readonly string[];
  /**
   * Serves "Sign in with Quazzar Cloud" at baseUrl, which must be an http address of this machine with a port, and
   * enrolls with its callback. When the port is taken the node beats all the same.
   */
  readonly signIn?: boolean;
  /** What the panel calls itself to browsers, where that is not panelUrl. */
  readonly issuer?: string;
  readonly stateStore: StateStore;
  readonly metrics: MetricsSource;
  readonly logger: AgentLogger;
  readonly clock?: Clock;
  readonly random?: Random;
  readonly onEvent?: (event: AgentEvent) => void;
  /** Takes the commands of the panel, such as `CommandRunner.run`; they are ignored without it. */
  readonly onCommand?: (command: AgentCommand, report: Report) => void | Promise<void>;
  /** Hears of commands at once over a WebSocket, and not only with the answers to beats. */
  readonly listen?: boolean;
  /** Takes the node's licence and verifies it; without it there is none. */
  readonly licences?: LicenceKeeper;
  readonly fetch?: typeof fetch;
  /** By which the WebSocket goes out; directly without it. */
  readonly socketAgent?: SocketAgent | undefined;
  /** The first beat comes at a random moment within this; one interval unless told. */
  readonly firstBeatWithinMs?: number;
  readonly requestTimeoutMs?: number;
  /** The pause after a refused enrollment or a revoked credential; 15 minutes unless told. */
  readonly refusedRetryMs?: number;
  /** How long stop() lets a call in flight finish and tells the panel of it, in all; 2 seconds unless told. */
  readonly stopGraceMs?: number;
}
