import { advisoryLock } from '#platform/database/advisory-lock.js';
import type { Operation } from '#platform/subgraph/operation.js';
import { validate } from '#platform/validation.js';
import { viewerId } from '#platform/viewer.js';

import { AlertRule } from './alert-rule.entity.js';
import { updateAlertRuleRules, type UpdateAlertRuleInput } from './alert-rule.inputs.js';
import type { AlertRuleKind } from './alert.kinds.js';
import { defaultRules, ruleKinds, type RuleSettings } from './alert.rules.js';

/** What each tenant wants to be alerted of. */
export class AlertRuleService {
  /** All rules, those that were never set with their defaults. */
  async all(operation: Operation): Promise<AlertRule[]> {
    const { tenantId } = operation;
    const set = await operation.em.find(AlertRule, { tenantId });
    return ruleKinds.map((kind) => set.find((rule) => rule.kind === kind) ?? defaultRule(tenantId, kind));
  }

  async get(operation: Operation, kind: AlertRuleKind): Promise<AlertRule> {
    const { tenantId } = operation;
    return (await operation.em.findOne(AlertRule, { tenantId, kind })) ?? defaultRule(tenantId, kind);
  }

  async update(operation: Operation, input: UpdateAlertRuleInput): Promise<AlertRule> {
    const { kind, ...changes } = validate(updateAlertRuleRules, input);
    const { tenantId } = operation;
    return operation.write(async ({ em, audit }) => {
      // Two first settings of one rule must take turns, or the second would undo the first.
      await advisoryLock(em, 'fleet.alert_rule', tenantId);
      const existing = await em.findOne(AlertRule, { tenantId, kind });
      const rule = existing ?? em.create(AlertRule, defaultRule(tenantId, kind));
      Object.assign(rule, given(changes), {
        updatedAt: operation.clock.now(),
        updatedBy: viewerId(operation.requireViewer()),
      });
      audit({ target: kind });
      return rule;
    });
  }

  /** Back to the defaults. Safe to repeat. */
  async reset(operation: Operation, kind: AlertRuleKind): Promise<AlertRule> {
    const { tenantId } = operation;
    return operation.write(async ({ em, audit }) => {
      await em.nativeDelete(AlertRule, { tenantId, kind });
      audit({ target: kind });
      return defaultRule(tenantId, kind);
    });
  }
}

function defaultRule(tenantId: string, kind: AlertRuleKind): AlertRule {
  return Object.assign(new AlertRule(), {
    tenantId,
    kind,
    ...defaultRules[kind],
    updatedAt: null,
    updatedBy: null,
  });
}

/** What was said; null says nothing, as absence does. */
function given(changes: {
  [Key in keyof RuleSettings]?: RuleSettings[Key] | null | undefined;
}): Partial<RuleSettings> {
  return Object.fromEntries(Object.entries(changes).filter(([, value]) => value != null));
}
