import { useCallback, useEffect, useState } from 'react';
import { useClient, type OperationResult } from 'urql';

import { useFollowed } from '../api/use-followed.ts';
import {
  DelegationChangedDocument,
  GrantsInForceDocument,
  type GrantsInForceQuery,
} from '../generated/graphql.ts';

export type Grant = GrantsInForceQuery['delegationsReceived']['nodes'][number];

/** Where the viewer may act, by client: every one, since a client has one grant in force at most. */
export function useGrants(isAllowed: boolean): ReadonlyMap<string, Grant> {
  const client = useClient();
  const [grants, setGrants] = useState<ReadonlyMap<string, Grant>>(new Map());
  const read = useCallback(async () => {
    const found = new Map<string, Grant>();
    let after: string | null = null;
    do {
      const answer: OperationResult<GrantsInForceQuery> = await client
        .query(GrantsInForceDocument, { after }, { requestPolicy: 'network-only' })
        .toPromise();
      if (!answer.data) return;
      const { nodes, pageInfo } = answer.data.delegationsReceived;
      for (const grant of nodes) found.set(grant.clientId, grant);
      after = pageInfo.hasNextPage ? pageInfo.endCursor : null;
    } while (after !== null);
    setGrants(found);
  }, [client]);
  const again = useCallback(() => void read(), [read]);
  useEffect(() => {
    if (isAllowed) again();
  }, [isAllowed, again]);
  useFollowed(DelegationChangedDocument, {}, again, isAllowed);
  return grants;
}
