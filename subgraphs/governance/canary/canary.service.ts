import { UniqueConstraintViolationException } from '@mikro-orm/core';

import type { Entitlements } from '#platform/entitlement/entitlements.js';
import { ApiError, invalid, notFound } from '#platform/errors.js';
import { IdempotencyKeys } from '#platform/idempotency/idempotency-keys.js';
import { newId } from '#platform/ids.js';
import { requireRoom, type Room } from '#platform/room.js';
import type { Operation, Write } from '#platform/subgraph/operation.js';
import { pageWindow, toPage, type Page } from '#platform/subgraph/paging.js';
import { validate } from '#platform/validation.js';
import { viewerId } from '#platform/viewer.js';

import { requireAdmitted, type AdmissionService } from '../admission/admission.service.js';
import { AdmissionSubject } from '../admission/admission.types.js';
import { readGroups } from '../group/groups.loader.js';
import { requireMayOrder } from '../order/may-order.js';
import { OrderedCommand } from '../order/order.js';
import { Policy } from '../policy/policy.entity.js';
import { requireKnown } from '../policy/policy.service.js';
import { groupIdsOf, scopeTest, type Scope, type Scoped } from '../policy/scope.js';
import { Canary } from './canary.entity.js';
import {
  createCanaryRules,
  updateCanaryRules,
  type CanariesArgs,
  type CreateCanaryInput,
  type UpdateCanaryInput,
} from './canary.inputs.js';
import {
  alreadyAfter,
  awaitingApproval,
  canaryMoves,
  CanaryAction,
  CanaryStatus,
  pausedByUser,
  type CanaryMove,
} from './canary.status.js';
import { cohortOrder, cohortSizes, stepOf } from './cohort.js';
import { afterStep, prepareAgain } from './dispatch.service.js';
import { advanceKind } from './kinds.js';
import { changed, lockCanary, move, recount, targetOf } from './move.service.js';

const mostInstances = 10_000;
const room: Room = {
  lock: 'governance.canary',
  limit: 100,
  of: 'canaries that have not ended',
  reason: 'CANARIES_LIMIT',
};

type Rules = ReturnType<typeof createCanaryRules.parse>;

/** Canaries as people make and steer them. */
export class CanaryService {
  readonly idempotency = new IdempotencyKeys('governance', ['createCanary']);

  constructor(
    private readonly entitlements: Entitlements,
    private readonly admission: AdmissionService,
  ) {}

  async get({ em, tenantId }: Operation, id: string): Promise<Canary> {
    const canary = await em.findOne(Canary, { tenantId, id });
    if (!canary) throw notFound('Canary');
    return canary;
  }

  /** Newest first. */
  async page(operation: Operation, { filter, ...args }: CanariesArgs): Promise<Page<Canary>> {
    const window = pageWindow(args);
    const matching = {
      tenantId: operation.tenantId,
      ...(filter?.status ? { status: { $in: filter.status } } : {}),
    };
    const rows = await operation.em.find(
      Canary,
      { ...matching, ...(window.after === undefined ? {} : { id: { $lt: window.after } }) },
      { orderBy: { id: 'desc' }, limit: window.size + 1 },
    );
    return toPage(rows, window, () => operation.em.count(Canary, matching));
  }

  /** Whom it is for is settled now, whatever becomes of tags. */
  async create(operation: Operation, input: CreateCanaryInput): Promise<Canary> {
    requireMayOrder(operation);
    const rules = validate(createCanaryRules, input);
    const call = { mutation: 'createCanary', input, key: input.idempotencyKey } as const;
    await this.entitlements.requireFeature(operation, 'governance');
    if (!(await this.idempotency.find(operation, call))) await this.requireAdmitted(operation, rules);
    return this.idempotency.write(operation, call, revive, async (write) => {
      const { tenantId, clock } = operation;
      await requireRoom(write.em, room, tenantId, () =>
        write.em.count(Canary, { tenantId, finishedAt: null }),
      );
      const instanceIds = await targetsOf(write, tenantId, rules.appliesTo ?? 'all_instances');
      const canary = build(operation, rules, instanceIds.length);
      write.em.persist(canary);
      await write.em.flush();
      await insertMembers(write, canary, instanceIds);
      write.audit({ target: canary.id, changes: { command: canary.command, params: canary.params } });
      changed(write.publish, canary, clock.now());
      if (canary.startAt <= clock.now()) write.enqueue(advanceKind, { tenantId, canaryId: canary.id });
      await write.em.flush();
      return { answer: canary, response: canary };
    });
  }

  async update(operation: Operation, id: string, input: UpdateCanaryInput): Promise<Canary> {
    const { action, name, steps } = validate(updateCanaryRules, input);
    if (action) return this.act(operation, id, action);
    if (!name && !steps) return this.get(operation, id);
    if (steps) requireMayOrder(operation);
    const { tenantId, clock } = operation;
    return operation.write(async (write) => {
      const canary = await locked(write, tenantId, id);
      if (canary.status !== CanaryStatus.PENDING)
        throw new ApiError('CONFLICT', 'The canary has begun: its name and its steps stay', {
          reason: 'CANARY_BEGUN',
        });
      canary.name = name ?? canary.name;
      if (steps) {
        canary.steps = steps;
        await write.em.execute(
          `update governance.canary_member m set step = n.step from jsonb_to_recordset(?::jsonb) as n (position integer, step integer)
           where m.tenant_id = ? and m.canary_id = ? and m.position = n.position`,
          [JSON.stringify(positions(steps, canary.target)), tenantId, id],
        );
      }
      write.audit({ target: id, changes: { name: canary.name, steps: canary.steps } });
      changed(write.publish, canary, clock.now());
      return canary;
    });
  }

  /** Doing the same again changes nothing. CONFLICT (ILLEGAL_MOVE) where the table of moves has it not. */
  async act(operation: Operation, id: string, action: CanaryAction): Promise<Canary> {
    // What stops it is nothing that goes further than the key.
    const stops = action === CanaryAction.PAUSE || action === CanaryAction.ABORT;
    if (!stops) requireMayOrder(operation);
    const { tenantId, clock } = operation;
    return operation.write(async (write) => {
      const canary = await locked(write, tenantId, id);
      write.audit({ target: id, changes: { action: action.toLowerCase() } });
      if (alreadyAfter[action].includes(canary.status)) return canary;
      const by = action.toLowerCase() as CanaryMove;
      if (!targetOf(canary, by)) throw illegal(canary, action);
      canary.causedBy = operation.request.requestId;
      const [onward, more] =
        action === CanaryAction.RESUME ? await resumed(write, canary) : [by, reasons[action]];
      await move(write, canary, onward, clock.now(), more);
      write.enqueue(advanceKind, { tenantId, canaryId: id });
      return canary;
    });
  }

  private async requireAdmitted(operation: Operation, rules: Rules): Promise<void> {
    const { command, params, appliesTo } = rules;
    const { tenantId } = operation;
    if (command === OrderedCommand.APPLY_POLICY) {
      const id = String(params['policy_id']);
      if ((await operation.em.count(Policy, { tenantId, id })) === 0)
        throw invalid('input.params.policy_id', `There is no policy ${id}`);
    }
    const instanceIds = await targetsOf(operation, tenantId, appliesTo ?? 'all_instances');
    const isUpdate = command === OrderedCommand.UPDATE;
    await requireAdmitted(this.admission, operation, {
      subject: AdmissionSubject.CANARY,
      action: `canary.${command.toLowerCase()}`,
      instanceIds,
      facts: isUpdate ? { 'cloud_os.version': params['version'] } : {},
      isChange: isUpdate,
    });
  }
}

const reasons: Partial<Record<CanaryAction, Pick<Canary, 'reason' | 'message'>>> = {
  PAUSE: { reason: pausedByUser, message: 'Somebody paused it' },
  ABORT: { reason: 'ABORTED_BY_USER', message: 'Somebody aborted it' },
};

async function locked({ em }: Write, tenantId: string, id: string): Promise<Canary> {
  const canary = await lockCanary(em, tenantId, id);
  if (!canary) throw notFound('Canary');
  return canary;
}

/** Where it was paused it goes on; what awaits approval is over, and the next step follows. */
async function resumed({ em }: Write, canary: Canary): Promise<Awaited<ReturnType<typeof afterStep>>> {
  const isApproved = canary.reason === awaitingApproval;
  if (!isApproved) await prepareAgain(em, canary);
  await recount(em, canary);
  return isApproved ? afterStep(em, canary) : ['resume', {}];
}

function illegal({ status }: Canary, action: CanaryAction): ApiError {
  const allowed = Object.values(CanaryAction).filter(
    (each) => canaryMoves[status][each.toLowerCase() as CanaryMove] !== undefined,
  );
  const words = allowed.map((each) => each.toLowerCase());
  return new ApiError(
    'CONFLICT',
    `A canary that is ${status.toLowerCase()} cannot be told to ${action.toLowerCase()}` +
      (words.length > 0 ? `; it can ${words.join(', ')}` : ''),
    { reason: 'ILLEGAL_MOVE', details: { status: status.toLowerCase(), allowed: words } },
  );
}

async function targetsOf({ em }: Pick<Write, 'em'>, tenantId: string, scope: Scope): Promise<string[]> {
  await requireKnown({ em }, tenantId, scope);
  const rows = await em.execute<Scoped[]>(
    'select id, name, hostname, status, tags from governance.node where tenant_id = ? order by id',
    [tenantId],
  );
  const groups = await readGroups(em, tenantId, groupIdsOf(scope));
  const ids = rows.filter(scopeTest(scope, groups)).map(({ id }) => id);
  if (ids.length === 0) throw invalid('input.appliesTo', 'No instance is among these now');
  if (ids.length > mostInstances)
    throw invalid('input.appliesTo', `These are more than ${mostInstances} instances`);
  return ids;
}

function build(operation: Operation, rules: Rules, target: number): Canary {
  const now = operation.clock.now();
  const { name, command, params, steps, analysis, appliesTo } = rules;
  const startAt = rules.startAt ?? now;
  return Object.assign(new Canary(), {
    tenantId: operation.tenantId,
    id: newId('canary'),
    name,
    command,
    params,
    rollback: rules.rollback ?? null,
    steps,
    appliesTo: appliesTo ?? 'all_instances',
    settings: {
      failureLimit: analysis?.failureLimit ?? 0,
      intervalSeconds: analysis?.intervalSeconds ?? 60,
      maxRisePercent: analysis?.maxRisePercent ?? 20,
      maxScoreDrop: analysis?.maxScoreDrop ?? 5,
      maxFailures: rules.maxFailures ?? 0,
      progressDeadlineSeconds: rules.progressDeadlineSeconds ?? 3_600,
      ignoresWindows: rules.ignoresWindows ?? false,
    },
    status: CanaryStatus.PENDING,
    pausedFrom: null,
    reason: null,
    message: null,
    currentStep: 0,
    target,
    counts: { WAITING: target },
    analysis: null,
    failedAnalyses: 0,
    revision: 0,
    startAt,
    phaseAt: now,
    bakeUntil: null,
    dueAt: startAt,
    haltedAt: null,
    createdBy: viewerId(operation.requireViewer()),
    causedBy: operation.request.requestId,
    createdAt: now,
    updatedAt: now,
    finishedAt: null,
  });
}

function positions(
  steps: readonly { percent: number }[],
  total: number,
): { position: number; step: number }[] {
  const sizes = cohortSizes(
    steps.map(({ percent }) => percent),
    total,
  );
  return Array.from({ length: total }, (_, position) => ({ position, step: stepOf(position, sizes) }));
}

/** CONFLICT (CANARY_UNDER_WAY) when one of them is in a canary that has not ended. */
async function insertMembers({ em }: Write, canary: Canary, instanceIds: readonly string[]): Promise<void> {
  const order = cohortOrder(canary.id, instanceIds);
  const rows = positions(canary.steps, canary.target).map((each) => ({
    ...each,
    instance_id: order[each.position],
  }));
  try {
    await em.execute(
      `insert into governance.canary_member (tenant_id, canary_id, instance_id, position, step, status, is_open)
       select ?, ?, n.instance_id, n.position, n.step, 'WAITING', true
       from jsonb_to_recordset(?::jsonb) as n (instance_id text, position integer, step integer)`,
      [canary.tenantId, canary.id, JSON.stringify(rows)],
    );
  } catch (error) {
    if (!(error instanceof UniqueConstraintViolationException)) throw error;
    throw new ApiError('CONFLICT', 'Another canary is under way on one of these instances', {
      reason: 'CANARY_UNDER_WAY',
    });
  }
}

/** Out of JSON times come as text. */
function revive(kept: Canary): Canary {
  return Object.assign(new Canary(), kept, {
    startAt: new Date(kept.startAt),
    phaseAt: new Date(kept.phaseAt),
    createdAt: new Date(kept.createdAt),
    updatedAt: new Date(kept.updatedAt),
  });
}
