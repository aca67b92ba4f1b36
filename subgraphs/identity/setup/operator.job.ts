import type { Clock } from '#platform/clock.js';
import type { Database } from '#platform/database/database.js';
import { OperatorError } from '#platform/errors.js';
import { newId } from '#platform/ids.js';
import type { OutboxEvent } from '#platform/outbox/outbox.js';
import { auditEvent, type AuditDetails } from '#platform/subgraph/audit.js';
import { Operation } from '#platform/subgraph/operation.js';

import { identityPermissions } from '../permissions.js';
import { normalEmail } from '../user/email-address.js';

/** The key of the account with an address; throws where there is none. */
export async function accountOf(
  database: Database,
  address: string,
): Promise<{ tenantId: string; id: string }> {
  const email = normalEmail(address);
  const found = await findAccount(database, email);
  if (!found) throw new OperatorError(`There is no account with the address ${email}.`);
  return found;
}

/** The key of the account with an address; undefined where there is none. */
export async function findAccount(
  database: Database,
  email: string,
): Promise<{ tenantId: string; id: string } | undefined> {
  const [found] = await database
    .anonymous()
    .execute<{ tenant_id: string; id: string }[]>('select * from identity.find_user_by_email(?)', [email]);
  return found && { tenantId: found.tenant_id, id: found.id };
}

/** What whoever runs the machine does, at the machine. */
export function operationOf(database: Database, clock: Clock): Operation {
  return new Operation({
    request: { requestId: newId('event'), clientAddress: '127.0.0.1' },
    database,
    clock,
    permissions: identityPermissions,
    viewer: undefined,
    denial: undefined,
  });
}

/** What the trail has of it. */
export function doneByOperator(
  name: string,
  details: Pick<AuditDetails, 'target' | 'changes'> & { tenantId: string },
): OutboxEvent {
  const actor = { actor: 'operator', actorKind: 'operator', clientAddress: '127.0.0.1' };
  return auditEvent({ name, args: {} }, { ...details, ...actor });
}
