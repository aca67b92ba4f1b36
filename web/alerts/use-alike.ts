import { useCallback, useEffect, useRef, useState } from 'react';
import { useClient, type Client, type OperationResult } from 'urql';

import { problemOf, type Told } from '../api/problem.ts';
import {
  AlertsAlikeDocument,
  type AlertFilter,
  type AlertRowFragment,
  type AlertsAlikeQuery,
} from '../generated/graphql.ts';
import type { Matchable } from './silence-matchers.tsx';

type Named = AlertsAlikeQuery['alerts']['nodes'][number];

export interface Alike {
  total: number;
  /** Some of them, newest first. */
  some: readonly Named[];
}

interface Answer {
  /** Of what was chosen last; undefined until it is known. */
  alike: Alike | undefined;
  told: Told | undefined;
}

const named = 5;
const wholePage = 500;
const unknown: Answer = { alike: undefined, told: undefined };

/** The tenant's open alerts that are like this one in all of the fields, whether they are on the page or not. */
export function useAlike(alert: AlertRowFragment, fields: readonly Matchable[]) {
  const client = useClient();
  const [answer, setAnswer] = useState(unknown);
  const turn = useRef(0);
  const key = JSON.stringify({
    filter: filterOf(alert, fields),
    component: fields.includes('COMPONENT') ? alert.component : null,
  });
  const isChosen = fields.length > 0;
  const read = useCallback(async () => {
    const mine = (turn.current += 1);
    setAnswer(unknown);
    if (!isChosen) return;
    const wanted = JSON.parse(key) as Wanted;
    const found = await alikeOf(client, wanted);
    if (mine === turn.current) setAnswer(found);
  }, [client, isChosen, key]);
  useEffect(() => void read(), [read]);
  return { ...answer, read: useCallback(() => void read(), [read]) };
}

interface Wanted {
  filter: AlertFilter;
  /** By which the list can not be narrowed: all pages are looked through. */
  component: string | null;
}

async function alikeOf(client: Client, { filter, component }: Wanted): Promise<Answer> {
  const some: Named[] = [];
  let total = 0;
  let after: string | null = null;
  const first = component === null ? named : wholePage;
  do {
    const answer: OperationResult<AlertsAlikeQuery> = await client
      .query(AlertsAlikeDocument, { filter, first, after }, { requestPolicy: 'network-only' })
      .toPromise();
    const { data, error } = answer;
    if (!data) return { alike: undefined, told: error && problemOf(error) };
    const { nodes, totalCount, pageInfo } = data.alerts;
    if (component === null) return { alike: { total: totalCount, some: nodes }, told: undefined };
    const matched = nodes.filter((one) => one.component?.toLowerCase() === component.toLowerCase());
    total += matched.length;
    some.push(...matched.slice(0, named - some.length));
    after = pageInfo.hasNextPage ? pageInfo.endCursor : null;
  } while (after !== null);
  return { alike: { total, some }, told: undefined };
}

function filterOf(alert: AlertRowFragment, fields: readonly Matchable[]): AlertFilter {
  return {
    ...(fields.includes('RULE') ? { rule: alert.rule } : {}),
    ...(fields.includes('SEVERITY') ? { severity: alert.severity } : {}),
    ...(fields.includes('INSTANCE_ID') ? { instanceId: alert.instanceId } : {}),
  };
}
