import DataLoader from 'dataloader';

import { ApiError } from '#platform/errors.js';
import type { Operation } from '#platform/subgraph/operation.js';

import { Alert } from './alert.entity.js';
import { activeStatuses, AlertRuleKind } from './alert.kinds.js';

/** What one operation may read: of many instances a few each, or of few instances all. */
const mostAlerts = 20_000;

/** What is active of instances: read together for all of them that an operation asks for. */
export class ActiveAlertsLoader {
  private readonly alerts = new DataLoader((ids: readonly string[]) => this.read(ids));
  private readonly counts = new DataLoader((ids: readonly string[]) => this.count(ids));
  private readonly outages = new DataLoader((ids: readonly string[]) => this.readOutages(ids));
  private left = mostAlerts;

  private constructor(private readonly operation: Operation) {}

  static of(operation: Operation): ActiveAlertsLoader {
    return operation.once(ActiveAlertsLoader, () => new ActiveAlertsLoader(operation));
  }

  /** Newest first. BAD_REQUEST when the operation asks for too many altogether. */
  async of(instanceId: string): Promise<Alert[]> {
    return this.alerts.load(instanceId);
  }

  async countOf(instanceId: string): Promise<number> {
    return this.counts.load(instanceId);
  }

  /** The outage of its node, while that goes on. */
  async outageOf(instanceId: string): Promise<Alert | null> {
    return this.outages.load(instanceId);
  }

  private async read(instanceIds: readonly string[]): Promise<Alert[][]> {
    const found = await this.operation.em.find(Alert, this.activeOf(instanceIds), {
      orderBy: { id: 'desc' },
      limit: this.left + 1,
    });
    if (found.length > this.left) {
      throw new ApiError('BAD_REQUEST', `Ask for at most ${mostAlerts} alerts of instances at once`, {
        reason: 'ALERTS_TOO_MANY',
      });
    }
    this.left -= found.length;
    const byInstance = new Map(instanceIds.map((id): [string, Alert[]] => [id, []]));
    for (const alert of found) byInstance.get(alert.instanceId)?.push(alert);
    return instanceIds.map((id) => byInstance.get(id) ?? []);
  }

  private async count(instanceIds: readonly string[]): Promise<number[]> {
    const rows = await this.operation.em.execute<{ instanceId: string; count: number }[]>(
      `select instance_id as "instanceId", count(*)::integer as count from fleet.alert
       where tenant_id = ? and status in ('FIRING', 'ACKNOWLEDGED')
         and instance_id in (select jsonb_array_elements_text(?::jsonb))
       group by instance_id`,
      [this.operation.tenantId, JSON.stringify(instanceIds)],
    );
    const byInstance = new Map(rows.map(({ instanceId, count }) => [instanceId, count]));
    return instanceIds.map((id) => byInstance.get(id) ?? 0);
  }

  private async readOutages(instanceIds: readonly string[]): Promise<(Alert | null)[]> {
    const found = await this.operation.em.find(Alert, {
      ...this.activeOf(instanceIds),
      rule: AlertRuleKind.OFFLINE,
      clearSince: null,
    });
    const byInstance = new Map(found.map((alert) => [alert.instanceId, alert]));
    return instanceIds.map((id) => byInstance.get(id) ?? null);
  }

  private activeOf(instanceIds: readonly string[]) {
    const { tenantId } = this.operation;
    return { tenantId, instanceId: { $in: [...instanceIds] }, status: { $in: [...activeStatuses] } };
  }
}
