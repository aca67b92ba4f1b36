import type { OutboxEvent } from '#platform/outbox/outbox.js';
import type { CommandOffered, CommandProgressed } from '#schema/events.js';

import type { Command } from './command.entity.js';
import type { CommandInvocation } from './invocation.entity.js';

/** Said once for each change of an instance's part, and once without one where many changed together. */
export function progressed(command: Command, invocation?: CommandInvocation): OutboxEvent {
  const { tenantId, id, kind, status } = command;
  return {
    topic: 'fleet.command.progressed',
    tenantId,
    entityId: id,
    payload: {
      commandId: id,
      command: kind,
      status,
      instanceId: invocation?.instanceId ?? null,
      instanceStatus: invocation?.status ?? null,
    } satisfies CommandProgressed,
  };
}

const idsPerEvent = 500;

/** Tells nodes that something waits for them, without saying what: each asks with its own credential. */
export function offered(command: Command, instanceIds: readonly string[]): OutboxEvent[] {
  const { tenantId, id } = command;
  const events: OutboxEvent[] = [];
  for (let from = 0; from < instanceIds.length; from += idsPerEvent) {
    events.push({
      topic: 'fleet.command.offered',
      tenantId,
      entityId: id,
      payload: {
        commandId: id,
        instanceIds: instanceIds.slice(from, from + idsPerEvent),
      } satisfies CommandOffered,
    });
  }
  return events;
}
