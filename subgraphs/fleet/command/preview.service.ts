import {
  isUnasked,
  type Admission,
  type Foresight,
  type Refusal,
  type Refuser,
  type Unasked,
} from '#platform/admission/admission.js';
import { listsWithout, requireListed } from '#platform/auth/permissions.js';
import { badArgument } from '#platform/errors.js';
import type { Operation } from '#platform/subgraph/operation.js';
import { pageWindow, toPage, type Page } from '#platform/subgraph/paging.js';

import type { InstanceService } from '../instance/instance.service.js';
import { statusAtSql } from '../instance/instance.status.js';
import { askedCommand } from './admission.js';
import type { SendCommandInput } from './command.inputs.js';
import { delaysOf } from './delays.service.js';
import {
  CommandAdmission,
  type CommandPreview,
  type CommandRefusal,
  type CommandTarget,
  type CommandTargetFilter,
  type CommandTargetsArgs,
} from './preview.types.js';
import { commandRulesOf, expiryOf, targetsFor } from './targets.service.js';

const mostTold = 100;
const policyRead = 'governance.policy.read';

/**
 * What would become of a command. Whom it is for, what policies say and what windows do is asked of the same functions as
 * when it is sent and handed out.
 */
export class CommandPreviewService {
  constructor(
    private readonly admission: Admission,
    private readonly instances: InstanceService,
  ) {}

  async preview(operation: Operation, input: SendCommandInput): Promise<CommandPreview> {
    const rules = await commandRulesOf(operation, input);
    const instanceIds = await targetsFor(operation, operation, rules);
    const foreseen = await this.admission.foresee(operation, askedCommand(rules, instanceIds));
    const offline = await this.offlineOf(operation, instanceIds);
    const delays = await delaysOf(operation, rules, instanceIds);
    const policies = saidBy(foreseen, listsWithout(operation.requireViewer(), policyRead));
    const refused = new Set(isUnasked(foreseen) ? [] : foreseen.refusedInstanceIds);
    return {
      total: instanceIds.length,
      offline: offline.size,
      delayed: delays.byInstance.size,
      expiresAt: expiryOf(rules, operation.clock.now()),
      tenant: { id: operation.tenantId },
      delays: delays.all.toSorted((a, b) => b.count - a.count).slice(0, mostTold),
      ...policies,
      targets: instanceIds.map((id) => ({
        id,
        instanceId: id,
        isOffline: offline.has(id),
        isRefused: policies.refused === null ? null : refused.has(id),
        delay: delays.byInstance.get(id) ?? null,
      })),
    };
  }

  /** In the order in which they would get it. */
  page(
    operation: Operation,
    { targets }: CommandPreview,
    { filter, ...args }: CommandTargetsArgs,
  ): Page<CommandTarget> {
    // By which it would be told what isRefused does not tell.
    if (filter?.isRefused != null) requireListed(operation.requireViewer(), policyRead);
    const window = pageWindow(args);
    const like = (some: readonly CommandTarget[]) => some.filter((target) => isLike(target, filter ?? {}));
    const before = targets.findIndex(({ id }) => id === window.after);
    if (window.after !== undefined && before < 0)
      throw badArgument('after', 'must come from this list, which has changed meanwhile');
    return toPage(like(targets.slice(before + 1)), window, async () => like(targets).length);
  }

  private async offlineOf(
    operation: Operation,
    instanceIds: readonly string[],
  ): Promise<ReadonlySet<string>> {
    const { countsTo } = this.instances.silence(operation);
    const rows = await operation.em.execute<{ id: string }[]>(
      `select id from fleet.instance
       where tenant_id = ? and id in (select jsonb_array_elements_text(?::jsonb)) and ${statusAtSql} = 'OFFLINE'`,
      [operation.tenantId, JSON.stringify(instanceIds), countsTo],
    );
    return new Set(rows.map(({ id }) => id));
  }
}

/** What policies and canaries have to say to it, as far as it can be asked, and may be told. */
function saidBy(
  foreseen: Foresight | Unasked,
  tellsFirstOnly: boolean,
): Pick<CommandPreview, 'admission' | 'refused' | 'policies' | 'refusals' | 'canaries'> {
  if (isUnasked(foreseen)) {
    const { mustWait } = foreseen;
    return {
      admission: mustWait ? CommandAdmission.UNKNOWN : CommandAdmission.ADMITTED,
      refused: mustWait || tellsFirstOnly ? null : 0,
      policies: [],
      refusals: [],
      canaries: null,
    };
  }
  const { refusedInstanceIds, canaries } = foreseen;
  const refusals = tellsFirstOnly ? foreseen.refusals.slice(0, 1) : foreseen.refusals;
  const refusers = tellsFirstOnly
    ? foreseen.refusers.filter(({ policyId }) => policyId === refusals[0]?.policyId)
    : foreseen.refusers;
  const firstOf = (refuser: Refuser) => (tellsFirstOnly ? refuser.refusals.slice(0, 1) : refuser.refusals);
  return {
    admission: refusals.length > 0 ? CommandAdmission.REFUSED : CommandAdmission.ADMITTED,
    refused: tellsFirstOnly ? null : refusedInstanceIds.length,
    policies: refusers.map((refuser) => ({ ...refuser, refusals: firstOf(refuser).map(refusalOf) })),
    refusals: refusals.map(refusalOf),
    canaries: canaries.map(({ canaryId, instances }) => ({
      canaryId,
      canary: { id: canaryId },
      count: instances,
    })),
  };
}

function refusalOf({ evidence, instanceId, ...policy }: Refusal): CommandRefusal {
  // Of a command all are of instances.
  return { ...policy, instanceId: instanceId!, ...evidence };
}

function isLike(target: CommandTarget, { isOffline, isRefused, isDelayed }: CommandTargetFilter): boolean {
  const fits = (is: boolean, wanted: boolean | null | undefined) => wanted == null || wanted === is;
  return (
    fits(target.isOffline, isOffline) &&
    // Where it is not known it is neither.
    (isRefused == null || target.isRefused === isRefused) &&
    fits(target.delay !== null, isDelayed)
  );
}
