import { OrderedCommand, type CommandOrder } from '../order/order.js';
import type { Policy } from '../policy/policy.entity.js';

/** What brings an instance in line with a policy; undefined where the policy does not say. */
export function remediationOf({
  id,
  rule,
  remediation,
}: Pick<Policy, 'id' | 'rule' | 'remediation'>): CommandOrder | undefined {
  if (!remediation) return undefined;
  const { command, params } = remediation;
  return { command, params: command === OrderedCommand.APPLY_POLICY ? { policy_id: id, rule } : params };
}
