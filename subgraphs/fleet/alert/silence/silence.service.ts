import { LockMode, type FilterQuery } from '@mikro-orm/core';

import { notFound } from '#platform/errors.js';
import { newId } from '#platform/ids.js';
import type { OutboxEvent } from '#platform/outbox/outbox.js';
import { requireRoom, type Room } from '#platform/room.js';
import type { Operation } from '#platform/subgraph/operation.js';
import { pageWindow, toPage, type Page, type PageArgs } from '#platform/subgraph/paging.js';
import { validate } from '#platform/validation.js';
import { viewerId } from '#platform/viewer.js';
import type { SilenceChanged } from '#schema/events.js';

import type { InstanceService } from '../../instance/instance.service.js';
import type { Alert } from '../alert.entity.js';
import { AlertStatus } from '../alert.kinds.js';
import { lookAgain } from '../notification/look-again.service.js';
import { Silence } from './silence.entity.js';
import { createSilenceRules, type CreateSilenceInput, type SilenceFilter } from './silence.inputs.js';
import { SilenceState } from './silence.kinds.js';
import { isAbout } from './silence.match.js';

/** All of a tenant's silences are matched against each of its alerts that is to be told. */
const room: Room = {
  lock: 'fleet.alert_silence',
  limit: 200,
  of: 'silences that have not ended',
  reason: 'SILENCES_LIMIT',
};

export class SilenceService {
  constructor(private readonly instances: InstanceService) {}

  /** Newest first. */
  async page(
    operation: Operation,
    args: PageArgs,
    filter: SilenceFilter | null | undefined,
  ): Promise<Page<Silence>> {
    const window = pageWindow(args);
    const { tenantId } = operation;
    const matching = { $and: [{ tenantId }, inState(filter?.state, operation.clock.now())] };
    const before = window.after === undefined ? {} : { id: { $lt: window.after } };
    const rows = await operation.em.find(
      Silence,
      { $and: [matching, before] },
      { orderBy: { id: 'desc' }, limit: window.size + 1 },
    );
    return toPage(rows, window, () => operation.em.count(Silence, matching));
  }

  /** The silences that keep channels from being told of an alert just now. */
  async of(operation: Operation, alert: Alert): Promise<Silence[]> {
    if (alert.status === AlertStatus.RESOLVED) return [];
    const active = await operation.once('active silences', async () =>
      operation.em.find(Silence, {
        $and: [{ tenantId: operation.tenantId }, inState(SilenceState.ACTIVE, operation.clock.now())],
      }),
    );
    if (active.length === 0) return [];
    const instance = await this.instances.find(operation, alert.instanceId);
    const subject = {
      rule: alert.rule,
      severity: alert.severity,
      instanceId: alert.instanceId,
      component: alert.component,
      instanceName: instance?.name ?? alert.instanceName,
      tags: instance?.tags ?? [],
    };
    return active.filter(({ matchers }) => isAbout(matchers, subject));
  }

  async get(operation: Operation, id: string): Promise<Silence> {
    const silence = await operation.em.findOne(Silence, { tenantId: operation.tenantId, id });
    if (!silence) throw notFound('Silence');
    return silence;
  }

  async create(operation: Operation, input: CreateSilenceInput): Promise<Silence> {
    const now = operation.clock.now();
    const { matchers, startsAt, endsAt, comment } = validate(createSilenceRules(now), input);
    const { tenantId } = operation;
    return operation.write(async ({ em, audit, publish }) => {
      await requireRoom(em, room, tenantId, async () =>
        em.count(Silence, { tenantId, endsAt: { $gt: now } }),
      );
      const silence = em.create(Silence, {
        tenantId,
        id: newId('silence'),
        matchers,
        startsAt: startsAt ?? now,
        endsAt,
        comment,
        createdBy: viewerId(operation.requireViewer()),
        createdAt: now,
      });
      audit({ target: silence.id });
      publish(changed(silence));
      return silence;
    });
  }

  /** Ends a silence now; expiring again changes nothing. */
  async expire(operation: Operation, id: string): Promise<Silence> {
    const { tenantId } = operation;
    return operation.write(async ({ em, audit, publish }) => {
      const silence = await em.findOne(Silence, { tenantId, id }, { lockMode: LockMode.PESSIMISTIC_WRITE });
      if (!silence) throw notFound('Silence');
      audit({ target: id });
      const now = operation.clock.now();
      if (silence.endsAt <= now) return silence;
      silence.endsAt = now;
      publish(changed(silence));
      // Alerts that it held back are looked at again at once, not when it would have ended.
      await lookAgain(em, tenantId, now);
      return silence;
    });
  }
}

function changed({ tenantId, id, endsAt }: Silence): OutboxEvent {
  return {
    topic: 'fleet.silence.changed',
    tenantId,
    entityId: id,
    payload: { silenceId: id, endsAt: endsAt.toISOString() } satisfies SilenceChanged,
  };
}

function inState(state: SilenceState | null | undefined, now: Date): FilterQuery<Silence> {
  switch (state) {
    case SilenceState.PENDING:
      return { startsAt: { $gt: now }, endsAt: { $gt: now } };
    case SilenceState.ACTIVE:
      return { startsAt: { $lte: now }, endsAt: { $gt: now } };
    case SilenceState.EXPIRED:
      return { endsAt: { $lte: now } };
    case null:
    case undefined:
      return {};
  }
}
