import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { useClient, type CombinedError, type OperationResult } from 'urql';

import { afterInSight } from '../api/in-sight.ts';
import { problemOf } from '../api/problem.ts';
import { isPassing } from '../api/use-again.ts';
import { useLive } from '../api/use-live.ts';
import { useThrottled } from '../api/use-throttled.ts';
import {
  FleetHealthChangedDocument,
  InstanceChangedDocument,
  InstanceListDocument,
  MetricsReportedDocument,
  type InstanceListQuery,
} from '../generated/graphql.ts';
import { useStore } from '../parts/store.ts';
import { InstanceRows } from './instance-rows.ts';

/** About how long is waited at most before a page is asked for again. */
const longestWaitMs = 5_000;

/** By then those that have just enrolled have been told of too. */
const settledMs = 2_000;

/** How often all is read anew because some were removed, at most. */
const removedEveryMs = 15_000;

/** All instances of the tenant: read page after page, and kept as they are by events. */
export function useInstanceRows() {
  const client = useClient();
  const rows = useMemo(() => new InstanceRows(), []);
  const [cursor, setCursor] = useState<string>();
  const [error, setError] = useState<CombinedError>();
  const [turn, setTurn] = useState(0);
  const read = useCallback(() => setTurn((before) => before + 1), []);

  useEffect(() => {
    let isWanted = true;
    let callOff = () => {};
    const page = async (after: string | null) =>
      client.query(InstanceListDocument, { after }, { requestPolicy: 'network-only' }).toPromise();
    const readAll = async () => {
      let after: string | null = null;
      rows.begin();
      do {
        let answer: OperationResult<InstanceListQuery> = await page(after);
        // Of twenty pages one may go astray, in a failover all do, and of all tabs at once. Those that came are not asked for again.
        for (let again = 1; isWanted && answer.error && isPassing(problemOf(answer.error)); again += 1) {
          setError(answer.error);
          const waitMs = Math.min(longestWaitMs, again * 1_000) * (0.75 + Math.random() / 2);
          await new Promise<void>((resolve) => {
            callOff = afterInSight(waitMs, resolve);
          });
          answer = await page(after);
        }
        if (!isWanted) return;
        setError(answer.error);
        if (!answer.data) return;
        const { instances, fleetCursor }: InstanceListQuery = answer.data;
        if (after === null) setCursor(fleetCursor);
        const { hasNextPage, endCursor }: InstanceListQuery['instances']['pageInfo'] = instances.pageInfo;
        rows.addPage(instances.nodes, { total: instances.totalCount, isLast: !hasNextPage });
        after = hasNextPage ? endCursor : null;
      } while (after !== null);
    };
    void readAll();
    return () => {
      isWanted = false;
      callOff();
    };
  }, [client, rows, turn]);

  useLive(
    InstanceChangedDocument,
    {},
    {
      after: cursor,
      next: ({ instanceChanged }) => rows.change(instanceChanged),
      lost: read,
    },
  );
  const total = useRef(0);
  const readSeldom = useThrottled(() => rows.isBeyond(total.current) && read(), removedEveryMs);
  useLive(
    FleetHealthChangedDocument,
    {},
    {
      after: cursor,
      next: ({ fleetHealthChanged: { totalInstances } }) => {
        total.current = totalInstances;
        if (rows.isBeyond(totalInstances)) setTimeout(readSeldom, settledMs);
      },
      lost: read,
    },
  );
  useLive(
    MetricsReportedDocument,
    {},
    {
      next: ({ metricsReported: { instanceId, cpuPercent, memoryPercent, timestamp } }) =>
        rows.reading(instanceId, cpuPercent, memoryPercent, timestamp),
      // Readings can't be resumed; the next ones are newer anyhow.
      lost: () => undefined,
    },
  );

  return { rows, shown: useStore(rows.shown), error, read };
}
