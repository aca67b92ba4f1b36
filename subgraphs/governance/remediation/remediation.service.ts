import { ApiError, notFound } from '#platform/errors.js';
import type { Operation } from '#platform/subgraph/operation.js';
import { pageWindow, toPage, type Page } from '#platform/subgraph/paging.js';
import { invalidFields, validate } from '#platform/validation.js';
import { viewerId } from '#platform/viewer.js';

import { requireMayOrder } from '../order/may-order.js';
import { Policy } from '../policy/policy.entity.js';
import { remediateKind } from './kinds.js';
import { remediationOf } from './order-of.js';
import { PolicyRemediation, RemediationStatus } from './remediation.entity.js';
import {
  remediatePolicyRules,
  type PolicyRemediationsArgs,
  type RemediatePolicyInput,
} from './remediation.inputs.js';
import { requestRemediations } from './request.service.js';

/** Remediations as people ask for and see them. */
export class RemediationService {
  /** Newest first. */
  async page(
    operation: Operation,
    { policyId, instanceId, filter, ...args }: PolicyRemediationsArgs,
  ): Promise<Page<PolicyRemediation>> {
    const window = pageWindow(args);
    const matching = {
      tenantId: operation.tenantId,
      ...(policyId ? { policyId } : {}),
      ...(instanceId ? { instanceId } : {}),
      ...(filter?.status == null ? {} : { status: filter.status }),
    };
    const rows = await operation.em.find(
      PolicyRemediation,
      { ...matching, ...(window.after === undefined ? {} : { id: { $lt: window.after } }) },
      { orderBy: { id: 'desc' }, limit: window.size + 1 },
    );
    return toPage(rows, window, () => operation.em.count(PolicyRemediation, matching));
  }

  async get({ em, tenantId }: Operation, id: string): Promise<PolicyRemediation> {
    const remediation = await em.findOne(PolicyRemediation, { tenantId, id });
    if (!remediation) throw notFound('Policy remediation');
    return remediation;
  }

  /** One that is under way on an instance is answered again, and no other is begun there. */
  async remediate(operation: Operation, input: RemediatePolicyInput): Promise<PolicyRemediation[]> {
    requireMayOrder(operation);
    const { policyId, instanceIds } = validate(remediatePolicyRules, input);
    const { tenantId, clock } = operation;
    return operation.write(async (write) => {
      const { em } = write;
      const policy = await em.findOne(Policy, { tenantId, id: policyId });
      if (!policy) throw notFound('Policy');
      const order = remediationOf(policy);
      if (!order) {
        throw new ApiError('CONFLICT', 'The policy has no remediation', { reason: 'NO_REMEDIATION' });
      }
      const failing = await em.execute<{ id: string }[]>(
        `select instance_id as id from governance.result where tenant_id = ? and policy_id = ? and status = 'FAIL'
           and (?::jsonb is null or instance_id in (select jsonb_array_elements_text(?::jsonb)))
         order by instance_id limit 100`,
        [tenantId, policyId, ...twice(instanceIds ? JSON.stringify(instanceIds) : null)],
      );
      const ids = failing.map(({ id }) => id);
      const faults = [...(instanceIds ?? []).entries()].filter(([, id]) => !ids.includes(id));
      if (faults.length > 0) {
        throw invalidFields(
          Object.fromEntries(
            faults.map(([at, id]) => [`input.instanceIds.${at}`, `The policy is not known to fail on ${id}`]),
          ),
        );
      }
      const now = clock.now();
      await requestRemediations(write, {
        tenantId,
        policyId,
        order,
        instanceIds: ids,
        isAutomatic: false,
        requestedBy: viewerId(operation.requireViewer()),
        dueAt: now,
        now,
      });
      const open = await em.find(
        PolicyRemediation,
        { tenantId, policyId, instanceId: { $in: ids }, finishedAt: null },
        { orderBy: { id: 'asc' } },
      );
      write.audit({ target: policyId, changes: { remediated: ids } });
      for (const { id, status } of open)
        if (status === RemediationStatus.REQUESTED)
          write.enqueue(remediateKind, { tenantId, remediationId: id });
      return open;
    });
  }
}

const twice = <T>(value: T): [T, T] => [value, value];
