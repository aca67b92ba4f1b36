import { UniqueConstraintViolationException } from '@mikro-orm/core';

import type { Entitlements } from '#platform/entitlement/entitlements.js';
import { ApiError, notFound } from '#platform/errors.js';
import { newId } from '#platform/ids.js';
import { requireRoom, type Room } from '#platform/room.js';
import type { Operation, Write } from '#platform/subgraph/operation.js';
import { pageWindow, toPage, type Page, type PageArgs } from '#platform/subgraph/paging.js';
import { invalidFields, validate } from '#platform/validation.js';
import { viewerId } from '#platform/viewer.js';

import { requireMayOrder } from '../order/may-order.js';
import { lockJudged, rulesChanged } from '../result/rules-changed.service.js';
import { feature, suspendedPolicies, suspendedReason, withoutPlan } from './in-force.service.js';
import { patternsInForce, requirePatternsFit } from './patterns-fit.service.js';
import { PolicyVersion } from './policy-version.entity.js';
import { Policy, PolicyEnforcement, PolicySeverity } from './policy.entity.js';
import {
  createPolicyRules,
  updatePolicyRules,
  type CreatePolicyInput,
  type UpdatePolicyInput,
} from './policy.inputs.js';
import type { Scope } from './scope.js';

const room: Room = { lock: 'governance.policy', limit: 200, of: 'policies', reason: 'POLICIES_LIMIT' };

type Draft = Omit<ReturnType<typeof createPolicyRules.parse>, 'appliesTo'> & { appliesTo: Scope };

/** The policies of tenants. */
export class PolicyService {
  constructor(private readonly entitlements: Entitlements) {}

  async get(operation: Operation, id: string): Promise<Policy> {
    const policy = await operation.em.findOne(Policy, { tenantId: operation.tenantId, id });
    if (!policy) throw notFound('Policy');
    return policy;
  }

  /** In the order in which they were made. */
  async page(operation: Operation, args: PageArgs): Promise<Page<Policy>> {
    const window = pageWindow(args);
    const { tenantId } = operation;
    const rows = await operation.em.find(
      Policy,
      { tenantId, ...(window.after === undefined ? {} : { id: { $gt: window.after } }) },
      { orderBy: { id: 'asc' }, limit: window.size + 1 },
    );
    return toPage(rows, window, () => operation.em.count(Policy, { tenantId }));
  }

  /** Newest first. A policy that was removed still has one. */
  async history(operation: Operation, policyId: string): Promise<PolicyVersion[]> {
    const { tenantId } = operation;
    const found = await operation.em.find(
      PolicyVersion,
      { tenantId, policyId },
      { orderBy: { version: 'desc' }, limit: 100 },
    );
    if (found.length === 0) throw notFound('Policy');
    return found;
  }

  /** Why a policy that is not disabled has no say. */
  async suspendedReason(operation: Operation, id: string): Promise<string | null> {
    const { em, tenantId } = operation;
    const suspended = await operation.once(suspendedPolicies, () => suspendedPolicies(em, tenantId));
    return suspended.includes(id) ? suspendedReason : null;
  }

  async create(operation: Operation, input: CreatePolicyInput): Promise<Policy> {
    const rules = validate(createPolicyRules, input);
    return named(() =>
      operation.write(async (write) => {
        const policy = await this.add(operation, write, rules);
        write.audit({ target: policy.id });
        await rulesChanged(write, operation.tenantId, operation.clock.now(), { policyId: policy.id });
        return policy;
      }),
    );
  }

  /** In the transaction of `write`, which tells `rulesChanged` of it. */
  async add(
    operation: Operation,
    write: Write,
    rules: ReturnType<typeof createPolicyRules.parse>,
  ): Promise<Policy> {
    const { tenantId } = operation;
    await requireRoom(write.em, room, tenantId, async () => {
      const count = await write.em.count(Policy, { tenantId });
      if (count >= withoutPlan) await this.entitlements.requireFeature(operation, feature, write.em);
      return count;
    });
    const draft: Draft = { ...rules, appliesTo: rules.appliesTo ?? 'all_instances' };
    if (draft.remediation?.isAutomatic) requireMayOrder(operation);
    await requireKnown(write, tenantId, draft.appliesTo);
    const now = operation.clock.now();
    const by = viewerId(operation.requireViewer());
    const policy = write.em.create(Policy, {
      tenantId,
      id: newId('policy'),
      name: draft.name,
      type: draft.type ?? 'general',
      description: draft.description ?? null,
      resolution: draft.resolution ?? null,
      rule: draft.rule,
      enforcement: draft.enforcement ?? PolicyEnforcement.ADVISORY,
      severity: draft.severity ?? PolicySeverity.MEDIUM,
      appliesTo: draft.appliesTo,
      remediation: draft.remediation ?? null,
      remediateAt: null,
      version: 1,
      createdBy: by,
      createdAt: now,
      updatedBy: by,
      updatedAt: now,
    });
    policy.remediateAt = remediateAt(policy, now);
    await requirePatternsFit(write.em, policy, 0);
    remember(write, policy);
    await write.em.flush();
    return policy;
  }

  /** What is left out stays. */
  async update(operation: Operation, id: string, input: UpdatePolicyInput): Promise<Policy> {
    const rules = validate(updatePolicyRules, input);
    const { tenantId } = operation;
    return named(() =>
      operation.write(async (write) => {
        const policy = await lockPolicy(write, tenantId, id);
        const remediation = rules.remediation === undefined ? policy.remediation : rules.remediation;
        if (remediation?.isAutomatic && !isOnlyDisabled(rules)) requireMayOrder(operation);
        if (!isOnlyDisabled(rules) && (await write.em.count(Policy, { tenantId })) > withoutPlan)
          await this.entitlements.requireFeature(operation, feature, write.em);
        if (rules.appliesTo) await requireKnown(write, tenantId, rules.appliesTo, policy.appliesTo);
        const before = patternsInForce(policy);
        Object.assign(policy, {
          name: rules.name ?? policy.name,
          type: rules.type ?? policy.type,
          description: rules.description === undefined ? policy.description : rules.description,
          resolution: rules.resolution === undefined ? policy.resolution : rules.resolution,
          rule: rules.rule ?? policy.rule,
          enforcement: rules.enforcement ?? policy.enforcement,
          severity: rules.severity ?? policy.severity,
          appliesTo: rules.appliesTo ?? policy.appliesTo,
          remediation,
          version: policy.version + 1,
          updatedBy: viewerId(operation.requireViewer()),
          updatedAt: operation.clock.now(),
        });
        policy.remediateAt = remediateAt(policy, operation.clock.now());
        await requirePatternsFit(write.em, policy, before);
        remember(write, policy);
        const { name, enforcement, severity, appliesTo, rule } = policy;
        write.audit({ target: id, changes: { name, enforcement, severity, appliesTo, rule, remediation } });
        await write.em.flush();
        await rulesChanged(write, tenantId, operation.clock.now(), { policyId: id });
        return policy;
      }),
    );
  }

  /** Its exemptions go with it, and its results as whatever else changes with it: its history stays. */
  async remove(operation: Operation, id: string): Promise<Policy> {
    const { tenantId } = operation;
    return operation.write(async (write) => {
      const policy = await lockPolicy(write, tenantId, id);
      await lockJudged(write, tenantId);
      write.audit({ target: id, changes: { name: policy.name, deleted: true } });
      remember(write, policy, {
        version: policy.version + 1,
        isDeleted: true,
        changedBy: viewerId(operation.requireViewer()),
        changedAt: operation.clock.now(),
      });
      write.em.remove(policy);
      await write.em.flush();
      await rulesChanged(write, tenantId, operation.clock.now(), { policyId: id, isRemoved: true });
      return policy;
    });
  }
}

/** Not against those who write results of it, which refer to it: they hold instances that are locked after it. */
async function lockPolicy({ em }: Write, tenantId: string, id: string): Promise<Policy> {
  await em.execute('select 1 from governance.policy where tenant_id = ? and id = ? for no key update', [
    tenantId,
    id,
  ]);
  const policy = await em.findOne(Policy, { tenantId, id });
  if (!policy) throw notFound('Policy');
  return policy;
}

/** A plan that ended keeps nobody from that. */
function isOnlyDisabled(rules: ReturnType<typeof updatePolicyRules.parse>): boolean {
  return Object.entries(rules).every(
    ([name, value]) =>
      value === undefined || (name === 'enforcement' && value === PolicyEnforcement.DISABLED),
  );
}

function remediateAt({ remediation, enforcement }: Policy, now: Date): Date | null {
  return remediation?.isAutomatic && enforcement !== PolicyEnforcement.DISABLED ? now : null;
}

function remember({ em }: Write, policy: Policy, last: Partial<PolicyVersion> = {}): void {
  em.create(PolicyVersion, {
    tenantId: policy.tenantId,
    policyId: policy.id,
    version: policy.version,
    name: policy.name,
    rule: policy.rule,
    enforcement: policy.enforcement,
    severity: policy.severity,
    appliesTo: policy.appliesTo,
    isDeleted: false,
    changedBy: policy.updatedBy,
    changedAt: policy.updatedAt,
    ...last,
  });
}

/** Instances and groups that the tenant has not, each at its place. What was kept before may be kept, though it is gone. */
export async function requireKnown(
  { em }: Pick<Write, 'em'>,
  tenantId: string,
  scope: Scope,
  before: Scope = 'all_instances',
): Promise<void> {
  if (scope === 'all_instances' || 'tags' in scope) return;
  const [table, kind, noun, ids] =
    'instance_ids' in scope
      ? (['node', 'instance_ids', 'instance', scope.instance_ids] as const)
      : (['instance_group', 'group_ids', 'group', scope.group_ids] as const);
  const rows = await em.execute<{ id: string }[]>(
    `select id from governance.${table} where tenant_id = ? and id in (select jsonb_array_elements_text(?::jsonb))`,
    [tenantId, JSON.stringify(ids)],
  );
  const known = new Set([...rows.map(({ id }) => id), ...idsOf(before)]);
  const unknown = [...ids.entries()].filter(([, id]) => !known.has(id));
  if (unknown.length === 0) return;
  throw invalidFields(
    Object.fromEntries(
      unknown.map(([at, id]) => [`input.appliesTo.${kind}.${at}`, `There is no ${noun} ${id}`]),
    ),
  );
}

function idsOf(scope: Scope): readonly string[] {
  if (scope === 'all_instances' || 'tags' in scope) return [];
  return 'instance_ids' in scope ? scope.instance_ids : scope.group_ids;
}

export async function named<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof UniqueConstraintViolationException)) throw error;
    throw new ApiError('CONFLICT', 'There is a policy of this name already', { reason: 'NAME_TAKEN' });
  }
}
