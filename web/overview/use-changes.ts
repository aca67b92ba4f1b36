import { useCallback, useEffect, useRef, useState } from 'react';
import { useClient, type Client, type CombinedError, type OperationResult } from 'urql';

import { problemOf } from '../api/problem.ts';
import { useAgain } from '../api/use-again.ts';
import { useAppended } from '../api/use-appended.ts';
import { AuditEventRecordedDocument, ChangesDocument, type ChangesQuery } from '../generated/graphql.ts';
import type { Change } from './change-words.ts';

const shown = 12;
const mostPages = 5;

/** Coming and going changes nothing; the audit trail has it. */
const noChange = new Set(['login', 'logout', 'refreshSession', 'exchangeApiKey', 'actInTenant']);

export interface Changes {
  changes: readonly Change[];
  /** How many entries of the trail were looked through; null when that was all of them. */
  lookedThrough: number | null;
}

interface Answer {
  found: Changes | undefined;
  error: CombinedError | undefined;
}

/** The newest deeds of the trail: those that were read, and those that were told since. */
export function useChanges(): Answer & { read: () => void } {
  const client = useClient();
  const [{ found, error }, setAnswer] = useState<Answer>({ found: undefined, error: undefined });
  const [added, setAdded] = useState<readonly Change[]>([]);
  const turn = useRef(0);
  const read = useCallback(() => {
    const mine = (turn.current += 1);
    void newestOf(client).then(({ found, error }) => {
      // What could not be read just now stays as it was.
      if (mine === turn.current) setAnswer((before) => ({ found: found ?? before.found, error }));
    });
  }, [client]);
  useEffect(read, [read]);
  useAppended(
    AuditEventRecordedDocument,
    {},
    {
      next: ({ auditEventRecorded: change }) => {
        if (!noChange.has(change.action)) setAdded((before) => newest([change, ...before]));
      },
      read,
    },
  );
  useAgain(error && problemOf(error), read);
  return { found: found && { ...found, changes: newest([...added, ...found.changes]) }, error, read };
}

/** As many as are shown, each once. Of two that were added at the same time either may be told first. */
function newest(changes: readonly Change[]): readonly Change[] {
  return [...new Map(changes.map((change) => [change.id, change])).values()]
    .toSorted((one, other) => other.sequence - one.sequence)
    .slice(0, shown);
}

/** Reads on until there is enough to show: many sign-ins may lie before the last deed. */
async function newestOf(client: Client): Promise<Answer> {
  const changes: Change[] = [];
  let lookedThrough = 0;
  let after: string | null = null;
  for (let page = 0; page < mostPages; page += 1) {
    const answer: OperationResult<ChangesQuery> = await client
      .query(ChangesDocument, { after }, { requestPolicy: 'network-only' })
      .toPromise();
    const { data, error } = answer;
    if (!data) return { found: undefined, error };
    const { nodes, pageInfo } = data.auditEvents;
    lookedThrough += nodes.length;
    changes.push(...nodes.filter(({ action }) => !noChange.has(action)));
    after = pageInfo.hasNextPage ? pageInfo.endCursor : null;
    if (after === null) return { found: { changes: changes.slice(0, shown), lookedThrough: null }, error };
    if (changes.length >= shown) break;
  }
  return { found: { changes: changes.slice(0, shown), lookedThrough }, error: undefined };
}
