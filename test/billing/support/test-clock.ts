import { expect } from 'vitest';

import { dataOf } from '../../support/answers.js';
import type { TestPanel } from '../../support/panel.js';
import { until, type GraphQLAnswer, type Tenant } from '../../support/world.js';

export interface ClockView {
  now: string;
  status: string;
  target: string | null;
  failure: string | null;
}

const clockFields = 'now status target failure';
export const advanceText = `mutation($input: AdvanceTestClockInput!) { advanceTestClock(input: $input) { ${clockFields} } }`;

type Advanced = { advanceTestClock: ClockView };

/** Asks for the tenant's clock to go there. */
export async function advanceTo(
  tenant: Tenant,
  to: Date,
  token = tenant.token,
): Promise<GraphQLAnswer<Advanced>> {
  return tenant.world.graphql<Advanced>(advanceText, { input: { to } }, token);
}

export async function clockOf(tenant: Tenant): Promise<ClockView> {
  return dataOf(await tenant.graphql<{ testClock: ClockView }>(`{ testClock { ${clockFields} } }`)).testClock;
}

export async function timeOf(tenant: Tenant): Promise<Date> {
  return new Date((await clockOf(tenant)).now);
}

/** Moves the tenant's time on, and waits until every area has taken it in. */
export async function advance(panel: TestPanel, tenant: Tenant, ms: number): Promise<Date> {
  const to = new Date((await timeOf(tenant)).getTime() + ms);
  let { advanceTestClock } = dataOf(await advanceTo(tenant, to));
  // On a busy machine it is still on its way; a repeated call goes on with it.
  await until(async () => {
    if (advanceTestClock.status === 'ADVANCING') ({ advanceTestClock } = dataOf(await advanceTo(tenant, to)));
    return advanceTestClock.status !== 'ADVANCING';
  }, 'the clock to be there');
  expect(advanceTestClock).toMatchObject({ status: 'READY', target: to.toISOString(), failure: null });
  await takenIn(panel);
  return to;
}

async function takenIn(panel: TestPanel): Promise<void> {
  await until(async () => {
    const [row] = await panel.sql<{ open: number }>(
      `select count(*)::int as open from billing.outbox o
       cross join unnest(array['billing', 'fleet', 'identity', 'governance', 'hosting']) as area
       left join platform.consumer_position p on p.source = 'billing' and p.consumer = area
       where o.topic = 'billing.test-clock.advanced'
         and (p.consumer is null or (o.timeline, o.xid, o.id) > (p.timeline, p.xid, p.id))`,
    );
    return row!.open === 0;
  }, 'every area to take in that time has passed');
}
