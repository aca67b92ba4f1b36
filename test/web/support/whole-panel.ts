import { silentLogger } from '#platform/logger.js';
import { startKubernetesSandbox, type KubernetesSandbox } from '#sandbox/kubernetes/start.js';
import { startStripeSandbox, type StripeSandbox } from '#sandbox/stripe/start.js';
import { ensureCatalogue } from '#subgraphs/billing/stripe/catalogue.js';
import { createStripe } from '#subgraphs/billing/stripe/stripe-client.js';

import type { BillingPanel } from '../../billing/support/billing-panel.js';
import { useScene } from '../../governance/support/tenant.js';
import { startHostingPanel, type HostingPanel } from '../../hosting/support/hosting-panel.js';
import { Mailbox } from '../../identity/support/mailbox.js';
import { GitServer } from '../../support/git-server.js';

/** A panel with all that it can talk to: one for every page of the console. */
export interface WholePanel extends HostingPanel, Pick<BillingPanel, 'sdk' | 'stripe'> {
  mailbox: Mailbox;
  git: GitServer;
  kubernetes: KubernetesSandbox;
}

export async function startWholePanel(): Promise<WholePanel> {
  const mailbox = await Mailbox.start();
  const git = await GitServer.start();
  let hosting: HostingPanel | undefined;
  const clock = {
    now: () => hosting?.clock.now() ?? new Date(),
    delay: async (ms: number, signal?: AbortSignal) =>
      hosting ? hosting.clock.delay(ms, signal) : new Promise<void>(() => undefined),
  };
  const stripe: StripeSandbox = await startStripeSandbox({ port: 0, clock, logger: silentLogger });
  const kubernetes = await startKubernetesSandbox({ port: 0, clock, logger: silentLogger });
  hosting = await startHostingPanel({
    settings: {
      SMTP_URL: mailbox.url,
      ALLOW_PRIVATE_TARGETS: '127.0.0.1',
      STRIPE_SECRET_KEY: stripe.secretKey,
      STRIPE_WEBHOOK_SECRET: `whsec_${'t'.repeat(32)}`,
      STRIPE_API_BASE: stripe.url,
    },
  });
  useScene(hosting);
  const sdk = createStripe(stripe.secretKey, stripe.url);
  await ensureCatalogue(sdk);
  const stopHosting = hosting.stop.bind(hosting);
  const stop = async () => {
    await stopHosting();
    await Promise.all([stripe.stop(), kubernetes.stop()]);
    await git[Symbol.asyncDispose]();
    await mailbox[Symbol.asyncDispose]();
  };
  return Object.assign(hosting, { mailbox, git, kubernetes, stripe, sdk, stop, [Symbol.asyncDispose]: stop });
}
