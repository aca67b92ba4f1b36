import { z } from 'zod';

import { invalid } from '../errors.js';
import { expand, integer, pageParameters, text } from '../http/form.js';
import { listing, retrieval } from '../http/list.js';
import { deletion, inPath, operation } from '../http/operation.js';
import { day } from '../settings.js';
import { newId } from '../store/ids.js';
import type { TestClock } from '../store/stored.js';
import { rhythmOfAll } from '../subscription/items.js';
import type { World } from '../world.js';
import { settleClock } from './agenda.js';
import { addMonths, boundary } from './cycle.js';

const path = '/v1/test_helpers/test_clocks';
const lifetimeDays = 30;

export const testClockOperations = [
  operation(
    'POST',
    path,
    z.strictObject({ expand, frozen_time: integer, name: text.optional() }),
    (world, { frozen_time: time, name }) => {
      const created = world.machineNow();
      const clock = world.store.put('test_helpers.test_clock', {
        id: newId('test_helpers.test_clock'),
        object: 'test_helpers.test_clock',
        created,
        deletes_after: created + lifetimeDays * day,
        frozen_time: time,
        livemode: false,
        name: name ?? null,
        status: 'ready',
        status_details: {},
      });
      world.emit('test_helpers.test_clock.created', clock);
      return clock;
    },
  ),
  operation(
    'POST',
    `${path}/:id/advance`,
    z.strictObject({ expand, frozen_time: integer }),
    (world, { frozen_time: until }, at) => {
      const before = inPath(world, 'test_helpers.test_clock', at);
      if (before.status !== 'ready')
        throw invalid(
          'Test clock advancement underway - cannot perform modifications.',
          undefined,
          'test_clock_advancing',
        );
      if (until <= before.frozen_time)
        throw invalid(
          '`frozen_time` must be after the current frozen time of the test clock.',
          'frozen_time',
        );
      if (until > furthest(world, before))
        throw invalid(
          'Cannot advance a test clock more than two intervals of its shortest subscription at a time, or two years without a subscription.',
          'frozen_time',
        );
      const advancing = world.store.change('test_helpers.test_clock', before.id, {
        status: 'advancing',
        status_details: { advancing: { target_frozen_time: until } },
      });
      world.emit('test_helpers.test_clock.advancing', advancing);
      return advancing;
    },
  ),
  operation('DELETE', `${path}/:id`, z.strictObject({}), (world, _, at) => {
    const clock = inPath(world, 'test_helpers.test_clock', at);
    deleteWorldOf(world, clock.id);
    world.emit('test_helpers.test_clock.deleted', clock);
    world.store.delete('test_helpers.test_clock', clock.id);
    return deletion('test_helpers.test_clock', clock.id);
  }),
  retrieval('test_helpers.test_clock', path),
  listing('test_helpers.test_clock', path, { ...pageParameters }, () => true),
];

/** Brings clocks that were told to advance to where they were told; what is due on the way happens in order. */
export function advanceClocks(world: World): void {
  for (const clock of world.store.all('test_helpers.test_clock')) {
    const until = clock.status_details.advancing?.target_frozen_time;
    if (clock.status !== 'advancing' || until === undefined) continue;
    settleClock(world, clock.id, until);
    world.transact(() => {
      const ready = world.store.change('test_helpers.test_clock', clock.id, {
        frozen_time: until,
        status: 'ready',
        status_details: {},
      });
      world.emit('test_helpers.test_clock.ready', ready);
    });
  }
}

/** How far a clock may be advanced at once. */
function furthest(world: World, { id, frozen_time: now }: TestClock): number {
  const reaches = world.store
    .all('subscription')
    .filter((one) => one.test_clock === id && one.ended_at === null)
    .map((one) => boundary(now, rhythmOfAll(one.items.data), 2));
  return reaches.length === 0 ? addMonths(now, 24) : Math.min(...reaches);
}

/** With a clock goes everything on it. */
function deleteWorldOf(world: World, clock: string): void {
  const customers = new Set(
    world.store
      .all('customer')
      .filter((one) => one.test_clock === clock)
      .map(({ id }) => id),
  );
  for (const table of [
    'subscription',
    'invoice',
    'invoiceitem',
    'payment_method',
    'payment_intent',
    'subscription_schedule',
  ] as const) {
    for (const one of world.store.all(table))
      if (customers.has(String(one.customer))) world.store.delete(table, one.id);
  }
  for (const id of customers) world.store.delete('customer', id);
}
