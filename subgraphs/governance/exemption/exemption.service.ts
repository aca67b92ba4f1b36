import { UniqueConstraintViolationException } from '@mikro-orm/core';

import { ApiError, notFound } from '#platform/errors.js';
import { newId } from '#platform/ids.js';
import type { Operation } from '#platform/subgraph/operation.js';
import { pageWindow, toPage, type Page } from '#platform/subgraph/paging.js';
import { invalidFields, validate, type Faults } from '#platform/validation.js';
import { viewerId } from '#platform/viewer.js';

import { requireMayOrder } from '../order/may-order.js';
import { Policy } from '../policy/policy.entity.js';
import { lockJudged, rulesChanged } from '../result/rules-changed.service.js';
import { PolicyExemption } from './exemption.entity.js';
import {
  createExemptionRules,
  type CreatePolicyExemptionInput,
  type PolicyExemptionsArgs,
} from './exemption.inputs.js';

/** Instances of which policies need not hold. */
export class ExemptionService {
  async page(
    operation: Operation,
    { policyId, instanceId, ...args }: PolicyExemptionsArgs,
  ): Promise<Page<PolicyExemption>> {
    const window = pageWindow(args);
    const matching = {
      tenantId: operation.tenantId,
      ...(policyId ? { policyId } : {}),
      ...(instanceId ? { instanceId } : {}),
    };
    const rows = await operation.em.find(
      PolicyExemption,
      { ...matching, ...(window.after === undefined ? {} : { id: { $gt: window.after } }) },
      { orderBy: { id: 'asc' }, limit: window.size + 1 },
    );
    return toPage(rows, window, () => operation.em.count(PolicyExemption, matching));
  }

  async get({ em, tenantId }: Operation, id: string): Promise<PolicyExemption> {
    const exemption = await em.findOne(PolicyExemption, { tenantId, id });
    if (!exemption) throw notFound('Policy exemption');
    return exemption;
  }

  async create(operation: Operation, input: CreatePolicyExemptionInput): Promise<PolicyExemption> {
    const now = operation.clock.now();
    const rules = validate(createExemptionRules(now), input);
    const { tenantId } = operation;
    try {
      return await operation.write(async (write) => {
        const { em } = write;
        await lockJudged(write, tenantId, rules.instanceId);
        const faults: Faults = {};
        if ((await em.count(Policy, { tenantId, id: rules.policyId })) === 0)
          faults['input.policyId'] = `There is no policy ${rules.policyId}`;
        const node = await em.execute<unknown[]>(
          'select 1 from governance.node where tenant_id = ? and id = ?',
          [tenantId, rules.instanceId],
        );
        if (node.length === 0) faults['input.instanceId'] = `There is no instance ${rules.instanceId}`;
        if (Object.keys(faults).length > 0) throw invalidFields(faults);
        // One that has ended is as good as none.
        await em.nativeDelete(PolicyExemption, {
          tenantId,
          policyId: rules.policyId,
          instanceId: rules.instanceId,
          expiresAt: { $lte: now },
        });
        const exemption = em.create(PolicyExemption, {
          tenantId,
          id: newId('exemption'),
          policyId: rules.policyId,
          instanceId: rules.instanceId,
          owner: rules.owner,
          reason: rules.reason,
          expiresAt: rules.expiresAt ?? null,
          createdBy: viewerId(operation.requireViewer()),
          createdAt: now,
        });
        write.audit({ target: exemption.policyId, changes: { exempted: exemption.instanceId } });
        await em.flush();
        const { policyId, instanceId } = exemption;
        await rulesChanged(write, tenantId, now, { policyId, instanceId });
        return exemption;
      });
    } catch (error) {
      if (!(error instanceof UniqueConstraintViolationException)) throw error;
      throw new ApiError('CONFLICT', 'The instance is exempt from this policy already', {
        reason: 'ALREADY_EXEMPT',
      });
    }
  }

  async remove(operation: Operation, id: string): Promise<PolicyExemption> {
    const { tenantId } = operation;
    return operation.write(async (write) => {
      const [known] = await write.em.execute<{ instanceId: string; isRemedied: boolean }[]>(
        `select e.instance_id as "instanceId", p.remediate_at is not null as "isRemedied"
         from governance.exemption e join governance.policy p on p.tenant_id = e.tenant_id and p.id = e.policy_id
         where e.tenant_id = ? and e.id = ?`,
        [tenantId, id],
      );
      if (!known) throw notFound('Policy exemption');
      // What mends by itself sends its command there next.
      if (known.isRemedied) requireMayOrder(operation);
      const { instanceId } = known;
      await lockJudged(write, tenantId, instanceId);
      const exemption = await write.em.findOne(PolicyExemption, { tenantId, id });
      if (!exemption) throw notFound('Policy exemption');
      const { policyId } = exemption;
      write.audit({ target: policyId, changes: { exempted: instanceId, ended: true } });
      write.em.remove(exemption);
      await write.em.flush();
      await rulesChanged(write, tenantId, operation.clock.now(), { policyId, instanceId });
      return exemption;
    });
  }
}
