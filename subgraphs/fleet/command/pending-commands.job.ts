import type { Database } from '#platform/database/database.js';
import { systemEm } from '#platform/database/system-em.js';
import type { DeliveredEvent } from '#platform/outbox/event.js';
import type { OutboxTail } from '#platform/outbox/tail.js';
import type { Operation } from '#platform/subgraph/operation.js';
import type { CommandOffered } from '#schema/events.js';

import type { DeliveryService } from './delivery.service.js';
import type { NodeCommand } from './node-command.js';

/**
 * Knows which instances something may be waiting for, so that the beat of any other costs no query. It holds too many
 * rather than too few: it is filled from the table at the start, and by events of this and of other processes.
 */
export class PendingCommands {
  private readonly waiting = new Set<string>();
  private stops: (() => void)[] = [];

  constructor(
    private readonly database: Database,
    private readonly tail: OutboxTail,
    private readonly deliveries: DeliveryService,
  ) {}

  async start(): Promise<void> {
    const add = ({ topic, payload }: Pick<DeliveredEvent, 'topic' | 'payload'>) => {
      if (topic !== 'fleet.command.offered') return;
      for (const id of (payload as unknown as CommandOffered).instanceIds) this.waiting.add(id);
    };
    // Listens before it reads, so that nothing falls in between.
    const { stop } = this.tail.listen(add);
    this.stops = [stop, this.database.onCommitted((events) => events.forEach(add))];
    const rows = await systemEm(this.database).execute<{ instanceId: string }[]>(
      `select distinct instance_id as "instanceId" from fleet.command_invocation
       where status in ('PENDING', 'DELAYED') and (leased_until is null or deliveries > 0)`,
    );
    for (const { instanceId } of rows) this.waiting.add(instanceId);
  }

  stop(): void {
    for (const stop of this.stops) stop();
  }

  /** What the calling node is to do now. */
  async of(operation: Operation): Promise<NodeCommand[]> {
    const { instanceId } = operation.requireNode();
    // Taken out before the query and not after it: what is offered meanwhile puts it in again.
    if (!this.waiting.delete(instanceId)) return [];
    try {
      const { commands, isMoreWaiting } = await this.deliveries.take(operation);
      if (isMoreWaiting) this.waiting.add(instanceId);
      return commands;
    } catch (error) {
      this.waiting.add(instanceId);
      throw error;
    }
  }
}
