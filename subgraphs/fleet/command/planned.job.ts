import type { Admission } from '#platform/admission/admission.js';
import { ApiError } from '#platform/errors.js';
import type { JobDefinition, JobKind, JobPayload, JobStep } from '#platform/jobs/job.js';
import { dueSweep } from '#platform/membership/due-sweep.js';
import { auditEvent } from '#platform/subgraph/audit.js';

import { noteCommandEnds } from '../alert/command-failed.service.js';
import { askedCommand } from './admission.js';
import { lockCommand, settle } from './command-progress.service.js';
import { Command } from './command.entity.js';
import { offered, progressed } from './command.events.js';

interface BeginPayload extends JobPayload {
  commandId: string;
}

const beginKind: JobKind<BeginPayload> = {
  name: 'fleet.command.begin',
  // While governance cannot be asked. It is due again afterwards, until its time is over.
  retry: { limit: 4, delaySeconds: 2, maxDelaySeconds: 30 },
  expireInSeconds: 60,
};

/** Which policy it is stands in the command's `refusal`, for those who may read policies. */
const refusedWords = 'was refused by a mandatory policy when its time had come';

/** Has those commands begin whose time has come. */
export const plannedCommandsSweep = dueSweep({
  name: 'command.begin',
  everyMs: 1_000,
  table: 'fleet.command',
  claimMs: 120_000,
  job: beginKind,
  payload: (tenantId, commandId) => ({ tenantId, commandId }),
});

/**
 * Begins a planned command: from now on its instances get it. Mandatory policies may be others than when it was sent, and
 * are asked again; where one does not let it be done on an instance, it is cancelled as a whole, as it would not be sent.
 */
export function beginJob(admission: Admission): JobDefinition<BeginPayload> {
  return {
    ...beginKind,
    async handle(step) {
      const { tenantId, commandId: id } = step.payload;
      const command = await step.em.findOne(Command, { tenantId, id });
      if (!isDue(command, step.now)) return;
      const refusal = command.cancelledAt === null ? await refusalOf(admission, step, command) : null;
      await step.write(async ({ em, publish }) => {
        const row = await lockCommand(em, tenantId, id);
        if (!isDue(row, step.now)) return;
        row.dueAt = null;
        // By a process of the version before, which left its instances waiting.
        if (row.cancelledAt !== null) {
          await settle({ em, now: step.now, publish }, row, []);
          return;
        }
        if (refusal === null) {
          const instanceIds = await release(em, row, step.now);
          publish(progressed(row));
          for (const event of offered(row, instanceIds)) publish(event);
          return;
        }
        const refused = await waitingFor(em, row);
        Object.assign(row, { refusal, cancelledAt: step.now });
        await settle({ em, now: step.now, publish }, row, []);
        // Nobody waits for an answer, as whoever sends a command does that is refused at once.
        await noteCommandEnds(
          { em, now: step.now, publish },
          row,
          refused.map((instanceId) => ({ instanceId, failure: refusedWords })),
        );
        publish(
          auditEvent(
            { name: 'cancelCommand', args: {} },
            {
              tenantId,
              target: id,
              actor: 'svc:fleet',
              actorKind: 'service',
              clientAddress: '',
              changes: { reason: 'POLICY_VIOLATION' },
            },
          ),
        );
      });
    },
  };
}

/** One that was cancelled, or whose instances have all left, is no more. */
function isDue(command: Command | null, now: Date): command is Command & { startAt: Date } {
  return command !== null && command.dueAt !== null && command.startAt !== null && command.startAt <= now;
}

async function refusalOf(
  admission: Admission,
  { em, causedBy }: JobStep<BeginPayload>,
  command: Command,
): Promise<string | null> {
  const { tenantId, kind, params, createdBy } = command;
  const asked = askedCommand({ command: kind, params }, await waitingFor(em, command));
  try {
    await admission.requireFor({ em, tenantId, area: 'fleet', causedBy, actor: createdBy }, asked);
    return null;
  } catch (error) {
    if (error instanceof ApiError && error.code === 'CONFLICT') return error.message;
    throw error;
  }
}

async function waitingFor(em: JobStep['em'], { tenantId, id }: Command): Promise<string[]> {
  const rows = await em.execute<{ instanceId: string }[]>(
    `select instance_id as "instanceId" from fleet.command_invocation
     where tenant_id = ? and command_id = ? and status = 'PENDING' order by position`,
    [tenantId, id],
  );
  return rows.map(({ instanceId }) => instanceId);
}

/** Nobody had it in their hands so far: they were only kept from being handed out. */
async function release(em: JobStep['em'], { tenantId, id }: Command, now: Date): Promise<string[]> {
  const rows = await em.execute<{ instanceId: string }[]>(
    `update fleet.command_invocation set leased_until = null, updated_at = ?
     where tenant_id = ? and command_id = ? and status = 'PENDING' and deliveries = 0
     returning instance_id as "instanceId"`,
    [now, tenantId, id],
  );
  return rows.map(({ instanceId }) => instanceId);
}
