import DataLoader from 'dataloader';

import type { Operation } from '#platform/subgraph/operation.js';

import { groupsOf } from '../../group/group-members.service.js';
import type { InstanceService } from '../../instance/instance.service.js';
import type { AlertRule } from '../alert-rule.entity.js';
import type { AlertRuleService } from '../alert-rule.service.js';
import type { EffectiveAlertRule } from './effective-rule.js';
import type { AlertRuleOverride } from './override.entity.js';
import type { AlertRuleOverrideService } from './override.service.js';

/** Which rules are in force for instances: what `joinOverride` finds for the evaluation, to be looked at. */
export class EffectiveRuleService {
  constructor(
    private readonly rules: AlertRuleService,
    private readonly overrides: AlertRuleOverrideService,
    private readonly instances: InstanceService,
  ) {}

  /** One of each kind; those of all instances that an operation asks for are found together. */
  async of(operation: Operation, instanceId: string): Promise<EffectiveAlertRule[]> {
    const loader = operation.once(EffectiveRuleService, () => {
      return new DataLoader<string, EffectiveAlertRule[]>(async (ids) => this.find(operation, ids));
    });
    return loader.load(instanceId);
  }

  private async find(operation: Operation, ids: readonly string[]): Promise<EffectiveAlertRule[][]> {
    const [rules, overrides] = await Promise.all([this.rules.all(operation), this.overrides.all(operation)]);
    const groupIds = [...new Set(overrides.map(({ groupId }) => groupId))];
    const groups =
      groupIds.length === 0
        ? new Map<string, Set<string>>()
        : await groupsOf(
            operation.database,
            { tenantId: operation.tenantId, instanceIds: ids },
            groupIds,
            this.instances.heardTo(operation),
          );
    return ids.map((id) =>
      rules.map((rule) =>
        inForce(
          rule,
          overrides.find(({ kind, groupId }) => kind === rule.kind && groups.get(id)?.has(groupId)),
        ),
      ),
    );
  }
}

function inForce(rule: AlertRule, override: AlertRuleOverride | undefined): EffectiveAlertRule {
  return {
    kind: rule.kind,
    isEnabled: override?.isEnabled ?? rule.isEnabled,
    severity: override?.severity ?? rule.severity,
    threshold: override?.threshold ?? rule.threshold,
    forSeconds: override?.forSeconds ?? rule.forSeconds,
    keepFiringForSeconds: override?.keepFiringForSeconds ?? rule.keepFiringForSeconds,
    rule,
    override: override ?? null,
  };
}
