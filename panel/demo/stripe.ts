import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

import { systemClock } from '#platform/clock.js';
import type { Logger } from '#platform/logger.js';
import { startStripeSandbox, type StripeSandbox } from '#sandbox/stripe/start.js';
import { ensureCatalogue } from '#subgraphs/billing/stripe/catalogue.js';
import { createStripe } from '#subgraphs/billing/stripe/stripe-client.js';

export interface DemoStripe {
  sandbox: StripeSandbox;
  /** By which a panel finds it. */
  settings: Record<string, string>;
  /** Once the panel is there to hear of it. */
  makeCatalogue(): Promise<void>;
}

/** Its port is the panel's and this: pages that people have open outlive a restart. */
const portAbove = 90;

/** Starts the stand-in for Stripe beside a demo on this port; what it has it keeps in a file. */
export async function startDemoStripe(options: {
  panelPort: number;
  dataDir: string;
  logger: Logger;
}): Promise<DemoStripe> {
  const { panelPort, dataDir, logger } = options;
  // Before the panel makes it for its own.
  await mkdir(dataDir, { recursive: true });
  const secret = `whsec_${randomBytes(24).toString('hex')}`;
  const sandbox = await startStripeSandbox({
    port: panelPort === 0 ? 0 : panelPort + portAbove,
    clock: systemClock,
    webhook: { url: `http://127.0.0.1:${panelPort}/webhooks/stripe`, secret },
    stateFile: join(dataDir, 'stripe.json'),
    logger,
  });
  return {
    sandbox,
    makeCatalogue: async () => {
      await ensureCatalogue(createStripe(sandbox.secretKey, sandbox.url));
    },
    settings: {
      STRIPE_SECRET_KEY: sandbox.secretKey,
      STRIPE_WEBHOOK_SECRET: secret,
      STRIPE_API_BASE: sandbox.url,
    },
  };
}
