import { notFound } from '#platform/errors.js';
import type { Operation } from '#platform/subgraph/operation.js';
import { validate } from '#platform/validation.js';

import { Policy } from '../policy/policy.entity.js';
import { createPolicyRules } from '../policy/policy.inputs.js';
import { named, type PolicyService } from '../policy/policy.service.js';
import { rulesChanged } from '../result/rules-changed.service.js';
import { packs } from './packs.js';

export class PackService {
  constructor(private readonly policies: PolicyService) {}

  /** All of it or nothing. */
  async install(operation: Operation, id: string): Promise<Policy[]> {
    const pack = packs.find((each) => each.id === id);
    if (!pack) throw notFound('Policy pack');
    const { tenantId } = operation;
    return named(() =>
      operation.write(async (write) => {
        const present = await write.em.find(Policy, { tenantId }, { fields: ['name'] });
        const names = new Set(present.map(({ name }) => name.toLowerCase()));
        const made: Policy[] = [];
        for (const policy of pack.policies)
          if (!names.has(policy.name.toLowerCase()))
            made.push(await this.policies.add(operation, write, validate(createPolicyRules, policy)));
        write.audit({ target: pack.id, changes: { installed: made.map((policy) => policy.id) } });
        const [first] = made;
        if (first) await rulesChanged(write, tenantId, operation.clock.now(), { policyId: first.id });
        return made;
      }),
    );
  }
}
