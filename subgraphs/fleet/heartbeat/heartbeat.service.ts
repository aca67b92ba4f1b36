import { BatchQueue } from '#platform/batch-queue.js';
import { ApiError } from '#platform/errors.js';
import type { Logger } from '#platform/logger.js';
import type { Metrics } from '#platform/metrics.js';
import type { Operation } from '#platform/subgraph/operation.js';
import { currentTraceparent } from '#platform/telemetry/tracing.js';
import type { NodeViewer } from '#platform/viewer.js';

import type { NodeCommand } from '../command/node-command.js';
import type { CredentialService } from '../enrollment/credential.service.js';
import type { Hearing } from '../hearing/hearing.js';
import type { ReceivedBeat } from './beat.js';
import type { ReportHeartbeatInput, ReportHeartbeatPayload } from './heartbeat.inputs.js';
import { judgeBeat } from './heartbeat.rules.js';
import type { HeartbeatIngest } from './ingest.job.js';

export interface HeartbeatOptions {
  credentials: CredentialService;
  /** What the calling node is to do; costs nothing when nothing waits for it. */
  pendingCommands: (operation: Operation) => Promise<NodeCommand[]>;
  /** A new credential that waits for the calling node; costs nothing when none does. */
  offeredCredential: (operation: Operation) => Promise<string | null>;
  /** Puts the calling node's credential in force, if it was offered to it. */
  promoteCredential: (operation: Operation) => Promise<boolean>;
  hearing: Hearing;
  logger: Logger;
  ingest: HeartbeatIngest;
  heartbeatSeconds: number;
  /** How many beats may wait to be stored before more are sent away. */
  queueLimit: number;
  metrics: Metrics;
}

// More would only lengthen the locks: a batch of this size costs a beat little more than an endless one.
const batchSize = 500;

/** Takes the beats of nodes. */
export class HeartbeatService {
  private readonly queue: BatchQueue<ReceivedBeat, void>;

  constructor(private readonly options: HeartbeatOptions) {
    this.queue = new BatchQueue({
      batchSize,
      capacity: options.queueLimit,
      flush: (batch) => options.ingest.store(batch),
      refuse: (why) =>
        new ApiError(
          'UNAVAILABLE',
          why === 'full' ? 'More beats are waiting than the panel can store soon' : 'The panel is stopping',
          { reason: why === 'full' ? 'QUEUE_FULL' : 'STOPPING', retryAfterSeconds: 5 },
        ),
    });
    this.measure(options.metrics);
  }

  /** Answers once the beat is committed. Server time decides `lastSeen`; the node's clock only tells its skew. */
  async report(operation: Operation, input: ReportHeartbeatInput): Promise<ReportHeartbeatPayload> {
    const node = operation.requireNode();
    const { beat, warnings } = judgeBeat(input);
    const receivedAt = operation.clock.now();
    const { countsTo } = this.options.hearing.at(receivedAt);
    const { requestId } = operation.request;
    const traceparent = currentTraceparent();
    await this.store(operation, { node, beat, receivedAt, countsTo, requestId, traceparent });
    return {
      serverTime: receivedAt,
      heartbeatSeconds: this.options.heartbeatSeconds,
      commands: await this.unlessItFails(operation, 'commands', [], () =>
        this.options.pendingCommands(operation),
      ),
      credential: await this.unlessItFails(operation, 'a credential', null, () =>
        this.credential(operation, node, receivedAt),
      ),
      warnings,
    };
  }

  private measure(metrics: Metrics): void {
    metrics.gauge(
      'panel_beats_waiting',
      'Beats that this process has taken and not begun to store; more than HEARTBEAT_QUEUE are refused.',
      [],
      () => [{ value: this.queue.size }],
    );
    metrics.gauge(
      'panel_beats_waiting_max',
      'The most beats that may wait in this process (HEARTBEAT_QUEUE).',
      [],
      () => [{ value: this.options.queueLimit }],
    );
    metrics.gauge(
      'panel_beats_oldest_wait_seconds',
      'For how long the oldest beat has waited that is not stored yet; 0 when all are.',
      [],
      () => [{ value: this.queue.oldestSeconds }],
    );
  }

  private async store(operation: Operation, received: ReceivedBeat): Promise<void> {
    try {
      await this.queue.add(received);
    } catch (error) {
      const isRefused = error instanceof ApiError && error.extensions.reason === 'TOKEN_REVOKED';
      // The first beat with a new credential is what takes the old one out of force.
      if (!isRefused || !(await this.options.promoteCredential(operation))) throw error;
      await this.queue.add(received);
    }
  }

  private async credential(operation: Operation, node: NodeViewer, now: Date): Promise<string | null> {
    const { credentials, offeredCredential } = this.options;
    return (await offeredCredential(operation)) ?? (await credentials.renewal(node, now));
  }

  /** The beat is stored already and must not fail for what its answer brings: that comes with the next one. */
  private async unlessItFails<Answer>(
    operation: Operation,
    what: string,
    otherwise: Answer,
    read: () => Promise<Answer>,
  ): Promise<Answer> {
    try {
      return await read();
    } catch (error) {
      const { requestId } = operation.request;
      this.options.logger.error({ err: error, requestId }, `${what} could not be handed out with a beat`);
      return otherwise;
    }
  }

  /** Takes no more beats, and stores those that wait. */
  async stop(): Promise<void> {
    await this.queue.stop();
    await this.options.ingest.stop();
  }
}
