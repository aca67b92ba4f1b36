import type { ServerStatus } from '../generated/graphql.ts';
import { oneOf, textOf, withoutEmpty } from '../parts/search.ts';

/** All there are, which the compiler sees to. */
const statuses = {
  PROVISIONING: true,
  RUNNING: true,
  FAILED: true,
  DELETING: true,
  DELETED: true,
} satisfies Record<ServerStatus, true>;
export const serverStatuses = Object.keys(statuses) as ServerStatus[];

/** What the address says of the list. */
export interface ServerSearch {
  status?: ServerStatus;
  provider?: string;
}

export function serverSearch({ status, provider }: Record<string, unknown>): ServerSearch {
  return withoutEmpty({ status: oneOf(serverStatuses, status), provider: textOf(provider) });
}
