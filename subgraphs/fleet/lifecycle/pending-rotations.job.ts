import type { Database } from '#platform/database/database.js';
import { systemEm } from '#platform/database/system-em.js';
import type { DeliveredEvent } from '#platform/outbox/event.js';
import type { OutboxTail } from '#platform/outbox/tail.js';
import type { Operation } from '#platform/subgraph/operation.js';

import type { RotationService } from './rotation.service.js';

/** Knows which instances may have a new credential waiting, so that the beat of any other costs no query. */
export class PendingRotations {
  private readonly waiting = new Set<string>();
  private stops: (() => void)[] = [];

  constructor(
    private readonly database: Database,
    private readonly tail: OutboxTail,
    private readonly rotations: RotationService,
  ) {}

  async start(): Promise<void> {
    const add = ({ topic, entityId }: Pick<DeliveredEvent, 'topic' | 'entityId'>) => {
      if (topic === 'fleet.credential.offered') this.waiting.add(entityId);
    };
    // Listens before it reads, so that nothing falls in between.
    const { stop } = this.tail.listen(add);
    this.stops = [stop, this.database.onCommitted((events) => events.forEach(add))];
    const rows = await systemEm(this.database).execute<{ id: string }[]>(
      `select id from fleet.instance where candidate_generation is not null`,
    );
    for (const { id } of rows) this.waiting.add(id);
  }

  stop(): void {
    for (const stop of this.stops) stop();
  }

  /** The credential that waits for the calling node, if any. */
  async of(operation: Operation): Promise<string | null> {
    const { instanceId } = operation.requireNode();
    // Taken out before the query and not after it: what is offered meanwhile puts it in again.
    if (!this.waiting.delete(instanceId)) return null;
    try {
      const { credential, isPending } = await this.rotations.candidate(operation);
      if (isPending) this.waiting.add(instanceId);
      return credential;
    } catch (error) {
      this.waiting.add(instanceId);
      throw error;
    }
  }
}
