import { ApiError } from '#platform/errors.js';
import type { Logger } from '#platform/logger.js';
import type { Operation } from '#platform/subgraph/operation.js';

import { failureOf } from '../stripe/stripe-errors.js';
import { readSubscription } from '../subscription/subscription.store.service.js';
import { advanceKind } from './advance.kind.js';
import { stopOnTheWay, type Advancing } from './advance.service.js';
import { ClockFailure } from './stripe-clock.service.js';
import type { TenantTime } from './tenant-time.service.js';
import { TestClockStatus, type TestClock } from './test-clock.entity.js';
import type { AdvanceTestClockInput } from './test-clock.inputs.js';
import { requireReachable } from './test-clock.rules.js';
import { lockTestClock, readTestClock } from './test-clock.store.service.js';

/** Less than gateways wait for a subgraph. */
const atOnceMs = 6_000;
/** The request goes the way itself; a job comes by later, in case it has died. */
const goOnAfterSeconds = 30;

/** Tenants' test clocks, as tenants see them. */
export class TestClockService {
  constructor(
    private readonly times: TenantTime,
    private readonly advancing: Advancing,
    private readonly logger: Logger,
  ) {}

  /** Null in a panel without test clocks. */
  async own({ em, tenantId }: Operation): Promise<TestClock | null> {
    return this.times.hasTestClocks ? readTestClock(em, tenantId) : null;
  }

  /** Repeating a call changes nothing more. */
  async advance(operation: Operation, { to }: AdvanceTestClockInput): Promise<TestClock> {
    if (!this.times.hasTestClocks) {
      throw new ApiError(
        'CONFLICT',
        'This panel was started without TEST_CLOCKS: its time is that of the machine',
        {
          reason: 'TEST_CLOCKS_OFF',
        },
      );
    }
    const { tenantId, clock } = operation;
    const begun = await operation.write(async ({ em, enqueue, audit }) => {
      const row = await lockTestClock(em, tenantId);
      audit({ target: tenantId, changes: { to: to.toISOString() } });
      const isRepeated = row.target?.getTime() === to.getTime();
      if (isRepeated && row.status !== TestClockStatus.INTERNAL_FAILURE) return row;
      // What only catches up with the machine's time is on the same way, and gives place to somebody's.
      const isSomebodys = row.wayTo?.getTime() === row.target?.getTime();
      if (row.status === TestClockStatus.ADVANCING && isSomebodys) {
        throw new ApiError('CONFLICT', 'The test clock is on its way to another time', {
          reason: 'TEST_CLOCK_ADVANCING',
        });
      }
      if (!isRepeated) requireReachable(row, to, clock.now());
      const { customerId } = await readSubscription(em, tenantId);
      if (customerId !== null && row.stripeClockId === null) {
        throw new ApiError(
          'CONFLICT',
          'The payment provider knows this tenant without a test clock: it was made before TEST_CLOCKS was set',
          { reason: 'CUSTOMER_WITHOUT_TEST_CLOCK' },
        );
      }
      Object.assign(row, {
        version: row.version + 1,
        status: TestClockStatus.ADVANCING,
        target: to,
        wayTo: to,
        failure: null,
      });
      enqueue(advanceKind, { tenantId }, { startAfterSeconds: goOnAfterSeconds });
      return row;
    });
    if (begun.status !== TestClockStatus.ADVANCING) return begun;
    return this.goOn(operation);
  }

  /** What can not be done now is done by the job. */
  private async goOn(operation: Operation): Promise<TestClock> {
    const { database, tenantId, clock } = operation;
    try {
      const reached = await this.advancing.goOn({
        database,
        tenantId,
        now: () => clock.now(),
        write: (work) => operation.write(work),
        signal: AbortSignal.timeout(atOnceMs),
      });
      if (reached.status === TestClockStatus.ADVANCING)
        await operation.write(async ({ enqueue }) => enqueue(advanceKind, { tenantId }));
      return reached;
    } catch (error) {
      const sentence = finalFailure(error);
      if (sentence === undefined && failureOf(error) === undefined) throw error;
      this.logger.warn({ err: error, tenantId }, 'a test clock could not be advanced at once');
      if (sentence !== undefined)
        await operation.write((write) =>
          stopOnTheWay(write, tenantId, { failure: sentence, now: clock.now() }),
        );
      return readTestClock(database.forTenant(tenantId), tenantId);
    }
  }
}

/** What is shown of an error after which a clock does not go on by itself; undefined of others. */
export function finalFailure(error: unknown): string | undefined {
  if (error instanceof ClockFailure) return error.message;
  return failureOf(error)?.isFinal ? 'The payment provider has refused to advance its test clock' : undefined;
}
