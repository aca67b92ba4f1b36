import type { EntityClass } from '#platform/database/database.js';
import type { Sweep } from '#platform/membership/sweep.js';

import type { InstanceService } from '../instance/instance.service.js';
import { alertRetention } from './alert-retention.job.js';
import { AlertRule } from './alert-rule.entity.js';
import { AlertRuleResolver } from './alert-rule.resolver.js';
import { AlertRuleService } from './alert-rule.service.js';
import { Alert } from './alert.entity.js';
import { AlertResolver, InstanceAlertsResolver } from './alert.resolver.js';
import { AlertService } from './alert.service.js';
import { AlertSubscriptions } from './alert.subscriptions.js';
import { evaluateSweep } from './evaluate.job.js';

export const alertEntities: readonly EntityClass[] = [Alert, AlertRule];

export interface AlertsOptions {
  instances: InstanceService;
  heartbeatSeconds: number;
}

/** Everything about alerts that the subgraph's wiring takes in. */
export interface Alerts {
  service: AlertService;
  resolvers: readonly object[];
  sweeps: readonly Sweep[];
}

export function createAlerts({ instances, heartbeatSeconds }: AlertsOptions): Alerts {
  const service = new AlertService();
  return {
    service,
    resolvers: [
      new AlertResolver(service, instances),
      new InstanceAlertsResolver(service),
      new AlertRuleResolver(new AlertRuleService()),
      new AlertSubscriptions(service),
    ],
    sweeps: [evaluateSweep(heartbeatSeconds), alertRetention],
  };
}
