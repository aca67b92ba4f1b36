import type { Consumer } from '#platform/outbox/consumer.js';
import type { PolicyChanged, ViolationChanged } from '#schema/events.js';

import { AlertRuleKind, AlertSeverity } from './alert.kinds.js';
import { messageOf } from './alert.rules.js';
import { clearAlerts, raiseAlerts } from './told-alerts.service.js';

const rule = AlertRuleKind.POLICY_VIOLATION;
const urgent: readonly string[] = ['HIGH', 'CRITICAL'];

/** Raises an alert where a mandatory policy does not hold, and clears it when it does again or is no more. */
export const policyViolations: Consumer = {
  topics: ['governance.violation.changed', 'governance.policy.changed'],
  async handle({ em, event, now, publish }) {
    const { tenantId } = event;
    if (event.topic === 'governance.policy.changed') {
      const { policyId, isRemoved } = event.payload as unknown as PolicyChanged;
      if (isRemoved) await clearAlerts({ em, now }, { tenantId, rule, component: policyId });
      return;
    }
    const { instanceId, policyId, policyName, severity, isViolated } =
      event.payload as unknown as ViolationChanged;
    const told = {
      tenantId,
      rule,
      component: policyId,
      severity: urgent.includes(severity) ? AlertSeverity.CRITICAL : AlertSeverity.WARNING,
    };
    if (!isViolated) return clearAlerts({ em, now }, told, [instanceId]);
    const message = messageOf(rule, {
      value: null,
      threshold: null,
      component: policyId,
      detail: policyName,
    });
    return raiseAlerts({ em, now, publish }, told, [{ instanceId, message }]);
  },
};
