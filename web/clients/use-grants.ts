import { useCallback, useEffect, useRef, useState } from 'react';
import { useClient, type Client, type OperationResult } from 'urql';

import { problemOf, type Told } from '../api/problem.ts';
import { useAgain } from '../api/use-again.ts';
import { useDue } from '../api/use-due.ts';
import { useFollowed } from '../api/use-followed.ts';
import {
  GrantsInForceDocument,
  ReceivedDelegationChangedDocument,
  type GrantsInForceQuery,
} from '../generated/graphql.ts';

export type Grant = GrantsInForceQuery['delegationsReceived']['nodes'][number];

/** Whether the user is among those whom the client lets in, if it lets anybody. */
export function isLetIn(grant: Grant | undefined, userId: string): boolean {
  return grant !== undefined && (grant.userIds === null || grant.userIds.includes(userId));
}

export interface Grants {
  /** By client, which has one grant in force at most; undefined until they are known. */
  byClient: ReadonlyMap<string, Grant> | undefined;
  told: Told | undefined;
}

const unknown: Grants = { byClient: undefined, told: undefined };

/** Where people of the viewer's organization may act. They are read again when a client makes or ends one, and as they end. */
export function useGrants(isAllowed: boolean): Grants & { read: () => void } {
  const client = useClient();
  const [grants, setGrants] = useState(unknown);
  const turn = useRef(0);
  const read = useCallback(() => {
    const mine = (turn.current += 1);
    void allOf(client).then(({ byClient, told }) => {
      // What could not be read just now stays as it was.
      if (mine === turn.current) setGrants((before) => ({ byClient: byClient ?? before.byClient, told }));
    });
  }, [client]);
  useEffect(() => {
    if (isAllowed) read();
  }, [isAllowed, read]);
  const ends = [...(grants.byClient?.values() ?? [])].map(({ expiresAt }) => expiresAt);
  // One that has ended and is still shown could not be read: the next look takes it away.
  useDue(
    ends.filter((at) => new Date(at) > new Date()),
    grants,
    read,
  );
  useAgain(grants.told, read);
  useFollowed(ReceivedDelegationChangedDocument, {}, read, isAllowed);
  return { ...grants, read };
}

async function allOf(client: Client): Promise<Grants> {
  const byClient = new Map<string, Grant>();
  let after: string | null = null;
  do {
    const answer: OperationResult<GrantsInForceQuery> = await client
      .query(GrantsInForceDocument, { after }, { requestPolicy: 'network-only' })
      .toPromise();
    const { data, error } = answer;
    if (!data) return { byClient: undefined, told: error && problemOf(error) };
    const { nodes, pageInfo } = data.delegationsReceived;
    for (const grant of nodes) byClient.set(grant.clientId, grant);
    after = pageInfo.hasNextPage ? pageInfo.endCursor : null;
  } while (after !== null);
  return { byClient, told: undefined };
}
