import { LockMode, type FilterQuery } from '@mikro-orm/core';
import DataLoader from 'dataloader';

import { ApiError, notFound } from '#platform/errors.js';
import type { Operation, Write } from '#platform/subgraph/operation.js';
import { pageWindow, toPage, type Page, type PageArgs } from '#platform/subgraph/paging.js';
import { invalidFields, validate } from '#platform/validation.js';
import { viewerId } from '#platform/viewer.js';
import type { AlertChanged } from '#schema/events.js';

import { ActiveAlertsLoader } from './active-alerts.loader.js';
import { Alert } from './alert.entity.js';
import {
  acknowledgeAlertsRules,
  mostAcknowledged,
  type AcknowledgeAlertsInput,
  type AlertFilter,
} from './alert.inputs.js';
import { activeStatuses, AlertResolution, AlertRuleKind, AlertStatus } from './alert.kinds.js';

/** Alerts as people see and handle them; raising and clearing them is the evaluation's (evaluate.job.ts). */
export class AlertService {
  /** Newest first. */
  async page(
    operation: Operation,
    args: PageArgs,
    filter: AlertFilter | null | undefined,
  ): Promise<Page<Alert>> {
    const window = pageWindow(args);
    const matching = matches(operation.tenantId, filter);
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

  /** The outage that speaks for this alert: while its node is offline, its other alerts are not told of. */
  async inhibitorOf(operation: Operation, alert: Alert): Promise<Alert | null> {
    if (alert.rule === AlertRuleKind.OFFLINE || !activeStatuses.includes(alert.status)) return null;
    return ActiveAlertsLoader.of(operation).outageOf(alert.instanceId);
  }

  /** Acknowledging again, whoever does it, changes nothing. */
  async acknowledge(operation: Operation, id: string): Promise<Alert> {
    return this.change(operation, id, (alert) => {
      if (alert.status === AlertStatus.ACKNOWLEDGED) return;
      if (alert.status !== AlertStatus.FIRING) throw notActive(alert);
      takeUp(alert, operation, null);
    });
  }

  /**
   * Takes up those of them that fire, at most 500; the others are as they are. Of those that are found by a filter there
   * may be more than that.
   */
  async acknowledgeAll(
    operation: Operation,
    input: AcknowledgeAlertsInput,
  ): Promise<{ alerts: Alert[]; hasMore: boolean }> {
    const { ids, filter, comment } = validate(acknowledgeAlertsRules, input);
    const { tenantId } = operation;
    return operation.write(async ({ em, audit, publish }) => {
      const found = ids ?? (await this.firing(em, tenantId, filter));
      const wanted = [...new Set(found)].slice(0, mostAcknowledged);
      // In the order in which others lock them.
      const alerts = await em.find(
        Alert,
        { tenantId, id: { $in: wanted } },
        { orderBy: { instanceId: 'asc', id: 'asc' }, lockMode: LockMode.PESSIMISTIC_WRITE },
      );
      if (ids) requireAll(ids, alerts);
      const now = operation.clock.now();
      const taken = alerts.filter(({ status }) => status === AlertStatus.FIRING);
      for (const alert of taken) {
        takeUp(alert, operation, comment || null);
        alert.updatedAt = now;
        tell(publish, alert, AlertStatus.FIRING);
      }
      audit({ changes: { acknowledged: taken.map(({ id }) => id) } });
      const place = new Map(wanted.map((id, at) => [id, at]));
      return {
        alerts: alerts.toSorted((a, b) => place.get(a.id)! - place.get(b.id)!),
        hasMore: found.length > mostAcknowledged,
      };
    });
  }

  /** The newest that fire and are like this, and one more than are taken up. */
  private async firing(em: Write['em'], tenantId: string, filter: AlertFilter | null | undefined) {
    const found = await em.find(
      Alert,
      { $and: [matches(tenantId, filter), { status: AlertStatus.FIRING }] },
      { fields: ['id'], orderBy: { id: 'desc' }, limit: mostAcknowledged + 1, disableIdentityMap: true },
    );
    return found.map(({ id }) => id);
  }

  /** Resolving again changes nothing. */
  async resolve(operation: Operation, id: string): Promise<Alert> {
    return this.change(operation, id, (alert, now) => {
      if (alert.status === AlertStatus.RESOLVED) return;
      if (!activeStatuses.includes(alert.status)) throw notActive(alert);
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

function matches(tenantId: string, filter: AlertFilter | null | undefined): FilterQuery<Alert> {
  const { status, statuses, severity, instanceId, rule, updatedSince } = filter ?? {};
  const wanted = status ? [status] : (statuses ?? activeStatuses);
  return {
    tenantId,
    ...(wanted.length > 0 ? { status: { $in: [...wanted] } } : {}),
    ...(severity ? { severity } : {}),
    ...(instanceId ? { instanceId } : {}),
    ...(rule ? { rule } : {}),
    ...(updatedSince ? { updatedAt: { $gte: updatedSince } } : {}),
  };
}

function takeUp(alert: Alert, operation: Operation, comment: string | null): void {
  alert.status = AlertStatus.ACKNOWLEDGED;
  alert.acknowledgedBy = viewerId(operation.requireViewer());
  alert.acknowledgedAt = operation.clock.now();
  alert.acknowledgeComment = comment;
}

/** Names those that the tenant has not by their places. */
function requireAll(ids: readonly string[], alerts: readonly Alert[]): void {
  const known = new Set(alerts.map(({ id }) => id));
  const unknown = [...ids.entries()].filter(([, id]) => !known.has(id));
  if (unknown.length === 0) return;
  throw invalidFields(
    Object.fromEntries(unknown.map(([at, id]) => [`input.ids.${at}`, `There is no alert ${id}`])),
  );
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
