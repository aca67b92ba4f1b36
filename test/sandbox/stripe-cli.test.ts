import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { packageRoot } from '#platform/package-root.js';

import { sandboxWorld, type SandboxWorld } from '../support/stripe-sandbox.js';

// The package is there on x64 Linux only: those of other machines are missing in some registries.
const cli = join(packageRoot, 'node_modules/@stripe/cli-linux-x64/bin/stripe');
const hasCli = existsSync(cli);

let world: SandboxWorld;
let home: string;

beforeAll(async () => {
  world = await sandboxWorld();
  home = mkdtempSync(join(tmpdir(), 'stripe-cli-'));
});

afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await rm(home, { recursive: true });
});

async function trigger(event: string): Promise<void> {
  const { url, secretKey } = world.sandbox;
  await promisify(execFile)(cli, ['trigger', event, '--api-base', url, '--api-key', secretKey], {
    env: { HOME: home, XDG_CONFIG_HOME: home, STRIPE_CLI_TELEMETRY_OPTOUT: '1' },
    timeout: 30_000,
  });
}

test("Stripe's command line tool is at hand, or this machine has none", ({ skip }) => {
  if (!hasCli) skip(`${cli} is not there`);
  expect(hasCli).toBe(true);
});

// Each plays Stripe's own fixture for the event, and fails when one of its calls does.
test
  .skipIf(!hasCli)
  .for([
    'invoice.paid',
    'invoice.payment_failed',
    'invoice.payment_action_required',
    'customer.subscription.deleted',
    'customer.subscription.paused',
    'customer.subscription.trial_will_end',
    'payment_intent.succeeded',
    'charge.refunded',
    'subscription_schedule.completed',
  ])('`stripe trigger %s` ends with that webhook', async (event) => {
  await trigger(event);
  await expect
    .poll(async () => {
      await world.sandbox.delivered();
      return world.received.map(({ event: { type } }) => type);
    })
    .toContain(event);
  const made = world.received.find((got) => got.event.type === event);
  expect(
    world.stripe.webhooks.constructEvent(made?.body ?? '', made?.signature ?? '', world.webhookSecret),
  ).toMatchObject({
    type: event,
  });
});
