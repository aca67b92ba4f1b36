import { LockMode, type FilterQuery } from '@mikro-orm/core';
import DataLoader from 'dataloader';

import { ApiError, notFound } from '#platform/errors.js';
import type { Operation, Write } from '#platform/subgraph/operation.js';
import { pageWindow, toPage, type Page, type PageArgs } from '#platform/subgraph/paging.js';
import { viewerId } from '#platform/viewer.js';
import type { AlertChanged } from '#schema/events.js';

import { Alert } from './alert.entity.js';
import type { AlertFilter } from './alert.inputs.js';
import { AlertResolution, AlertRuleKind, AlertStatus } from './alert.kinds.js';

const active = [AlertStatus.FIRING, AlertStatus.ACKNOWLEDGED];

/** Alerts as people see and handle them; raising and clearing them is the evaluation's (evaluate.job.ts). */
export class AlertService {
  /** Newest first. */
  async page(
    operation: Operation,
    args: PageArgs,
    filter: AlertFilter | null | undefined,
  ): Promise<Page<Alert>> {
    const window = pageWindow(args);
    const { status, severity, instanceId, rule } = filter ?? {};
    const matching: FilterQuery<Alert> = {
      tenantId: operation.tenantId,
      status: status ?? { $in: active },
      ...(severity ? { severity } : {}),
      ...(instanceId ? { instanceId } : {}),
      ...(rule ? { rule } : {}),
    };
    const before = window.after === undefined ? {} : { id: { $lt: window.after } };
    const rows = await operation.em.find(
      Alert,
      { $and: [matching, before] },
      { orderBy: { id: 'desc' }, limit: window.size + 1 },
    );
    return toPage(rows, window, () => operation.em.count(Alert, matching));
  }

  /** An alert of the viewer's tenant; a foreign one is NOT_FOUND, like one that never was. */
  async get(operation: Operation, id: string): Promise<Alert> {
    const alert = await this.find(operation, id);
    if (!alert) throw notFound('Alert');
    return alert;
  }

  /** The same, or null; lookups of one operation are read together. */
  async find(operation: Operation, id: string): Promise<Alert | null> {
    const loader = operation.once('alerts by id', () => {
      return new DataLoader<string, Alert | null>(async (ids) => {
        const found = await operation.em.find(Alert, { tenantId: operation.tenantId, id: { $in: [...ids] } });
        const byId = new Map(found.map((alert) => [alert.id, alert]));
        return ids.map((wanted) => byId.get(wanted) ?? null);
      });
    });
    return loader.load(id);
  }

  /** The active alerts of an instance, newest first; read together for all instances of one operation. */
  async activeOf(operation: Operation, instanceId: string): Promise<Alert[]> {
    const loader = operation.once('active alerts by instance', () => {
      return new DataLoader<string, Alert[]>(async (ids) => {
        const found = await operation.em.find(
          Alert,
          { tenantId: operation.tenantId, instanceId: { $in: [...ids] }, status: { $in: active } },
          { orderBy: { id: 'desc' } },
        );
        return ids.map((wanted) => found.filter((alert) => alert.instanceId === wanted));
      });
    });
    return loader.load(instanceId);
  }

  /** The outage that speaks for this alert: while its node is offline, its other alerts are not told of. */
  async inhibitorOf(operation: Operation, alert: Alert): Promise<Alert | null> {
    if (alert.rule === AlertRuleKind.OFFLINE || !active.includes(alert.status)) return null;
    const others = await this.activeOf(operation, alert.instanceId);
    return others.find(({ rule, clearSince }) => rule === AlertRuleKind.OFFLINE && !clearSince) ?? null;
  }

  /** Acknowledging again, whoever does it, changes nothing. */
  async acknowledge(operation: Operation, id: string): Promise<Alert> {
    return this.change(operation, id, (alert, now) => {
      if (alert.status === AlertStatus.ACKNOWLEDGED) return;
      if (alert.status !== AlertStatus.FIRING) throw notActive(alert);
      alert.status = AlertStatus.ACKNOWLEDGED;
      alert.acknowledgedBy = viewerId(operation.requireViewer());
      alert.acknowledgedAt = now;
    });
  }

  /** Resolving again changes nothing. */
  async resolve(operation: Operation, id: string): Promise<Alert> {
    return this.change(operation, id, (alert, now) => {
      if (alert.status === AlertStatus.RESOLVED) return;
      if (!active.includes(alert.status)) throw notActive(alert);
      alert.status = AlertStatus.RESOLVED;
      alert.resolution = AlertResolution.BY_HAND;
      alert.resolvedBy = viewerId(operation.requireViewer());
      alert.resolvedAt = now;
      alert.notifyAt = alert.notifiedAt ? now : null;
    });
  }

  private async change(
    operation: Operation,
    id: string,
    apply: (alert: Alert, now: Date) => void,
  ): Promise<Alert> {
    return operation.write(async ({ em, audit, publish }) => {
      const { tenantId } = operation;
      // The evaluation may be writing the same row, and leaves alone what is locked here.
      const alert = await em.findOne(Alert, { tenantId, id }, { lockMode: LockMode.PESSIMISTIC_WRITE });
      if (!alert) throw notFound('Alert');
      audit({ target: id });
      const from = alert.status;
      const now = operation.clock.now();
      apply(alert, now);
      if (alert.status === from) return alert;
      alert.updatedAt = now;
      tell(publish, alert, from);
      return alert;
    });
  }
}

function tell(publish: Write['publish'], alert: Alert, from: AlertStatus): void {
  const { id, tenantId, instanceId, rule, severity, status } = alert;
  publish({
    topic: 'fleet.alert.changed',
    tenantId,
    entityId: id,
    payload: { alertId: id, instanceId, rule, severity, from, to: status } satisfies AlertChanged,
  });
}

function notActive({ status }: Alert): ApiError {
  return new ApiError('CONFLICT', `The alert is ${status.toLowerCase()}`, { reason: `ALERT_${status}` });
}
