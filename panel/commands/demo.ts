import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';

import { settingOf } from '#platform/env.js';

import { demoNodeUrl, startDemoFleet } from '../demo/fleet.js';
import { seedDemoHistory } from '../demo/history.js';
import { startDemoKubernetes } from '../demo/kubernetes.js';
import { standInsFor, startDemoProviders, type DemoProvider } from '../demo/providers.js';
import { connectProvider, demoAccounts, registerCluster, seedDemo } from '../demo/seed.js';
import { demoSettings } from '../demo/settings.js';
import { startDemoStripe } from '../demo/stripe.js';
import { startPanel } from '../panel.js';
import { panelOptions, run } from '../run.js';
import { within } from '../shutdown.js';

const fleetWithinMs = 2_000;

// A living panel in one command: a seeded tenant, and eight simulated nodes that report through the real agent path.
await run(async () => {
  const settings = demoSettings(process.env);
  // The stand-in, which test clocks need, is not there yet.
  const { panel: env, logger } = panelOptions({ ...settings, TEST_CLOCKS: 'false' });
  // With a key of Stripe the demo talks to Stripe itself.
  const stripe =
    settingOf(settings, 'STRIPE_SECRET_KEY') === undefined
      ? await startDemoStripe({ panelPort: env.PORT, dataDir: env.DATA_DIR, logger })
      : undefined;
  const providers = await startDemoProviders({
    kinds: standInsFor(settings),
    panelPort: env.PORT,
    dataDir: env.DATA_DIR,
    logger,
  });
  // With a kubeconfig in the environment the demo registers that cluster, if the panel may reach its address.
  const ownKubeconfig = settings['KUBECONFIG'];
  const kubernetes =
    ownKubeconfig === undefined
      ? await startDemoKubernetes({ panelPort: env.PORT, dataDir: env.DATA_DIR, logger })
      : undefined;
  const reachable = kubernetes ? { ALLOW_PRIVATE_TARGETS: '127.0.0.1' } : {};
  // Time is moved at the stand-in only; a live key of Stripe is refused beside it.
  const clocks = stripe ? { TEST_CLOCKS: 'true' } : {};
  const options = panelOptions({
    ...clocks,
    ...reachable,
    ...settings,
    ...stripe?.settings,
    ...providers.settings,
  });
  const panel = await startPanel({ ...options, isDemo: true });
  let fleet: Awaited<ReturnType<typeof startDemoFleet>> | undefined;
  try {
    await stripe?.makeCatalogue();
    const { enrollmentToken, tenantId } = await seedDemo(panel.url, { hasStandIn: stripe !== undefined });
    for (const { id, token } of providers.all) await connectProvider(panel.url, id, token);
    const kubeconfigPath = kubernetes?.kubeconfigPath ?? ownKubeconfig!;
    await registerCluster(panel.url, await readFile(kubeconfigPath, 'utf8'));
    const started = await startDemoFleet({
      panelUrl: panel.url,
      publicUrl: panel.publicUrl,
      enrollmentToken,
      stateDir: resolve(options.panel.DATA_DIR, 'nodes'),
      logger: options.logger,
    });
    fleet = started;
    const nodes = await started.enrolled(10_000);
    await seedDemoHistory({ databaseUrl: panel.databaseUrl, tenantId, nodes, logger: options.logger });
    process.stdout.write(
      greeting(panel.publicUrl, {
        nodeUrl: demoNodeUrl(panel.url, 2),
        enrollmentToken,
        stripeUrl: stripe?.sandbox.url,
        providers: providers.all,
        kubernetesUrl: kubernetes?.sandbox.url,
        kubeconfigPath,
      }),
    );
    return {
      ...panel,
      stopWithinMs: panel.stopWithinMs + fleetWithinMs,
      stop: async (how) => {
        await within(fleetWithinMs, started.stop());
        await panel.stop(how);
        await stripe?.sandbox.stop();
        await providers.stop();
        await kubernetes?.sandbox.stop();
      },
    };
  } catch (error) {
    if (fleet) await within(fleetWithinMs, fleet.stop());
    await panel.stop();
    await stripe?.sandbox.stop();
    await providers.stop();
    await kubernetes?.sandbox.stop();
    throw error;
  }
});

/** How to advance the tenant's own time by a year. */
function yearOn(url: string): string {
  const to = new Date(Date.now() + 365 * 24 * 60 * 60 * 1000).toISOString();
  const query = 'mutation($to: DateTime!) { advanceTestClock(input: { to: $to }) { now status } }';
  return `A year of renewals in seconds, for this tenant alone:
  curl -s ${url}/graphql -H "authorization: Bearer $TOKEN" -H 'content-type: application/json' \\
    -d '${JSON.stringify({ query, variables: { to } })}'

`;
}

function rented(providers: readonly DemoProvider[]): string {
  const places = providers.map(({ name, sandbox }) => `for ${name} at ${sandbox.url}`);
  return places.length === 0 ? 'by the providers' : `stand-ins ${places.join(', ')}: nothing is rented`;
}

interface Shown {
  nodeUrl: string | undefined;
  enrollmentToken: string;
  /** Absent where the demo talks to Stripe itself. */
  stripeUrl: string | undefined;
  /** Those that stand-ins are in the place of. */
  providers: readonly DemoProvider[];
  /** Absent where the demo was given a cluster. */
  kubernetesUrl: string | undefined;
  kubeconfigPath: string;
}

function greeting(
  url: string,
  { nodeUrl, enrollmentToken, stripeUrl, providers, kubernetesUrl, kubeconfigPath }: Shown,
): string {
  const { email, password } = demoAccounts.owner;
  const login = `curl -s ${url}/api/auth/login -H 'content-type: application/json' -d '${JSON.stringify({ email, password })}'`;
  return `
Quazzar Control Panel, with a demo fleet of eight nodes
  console               ${url}
  sign in as            ${email} / ${password}
  GraphQL and GraphiQL  ${url}/graphql and ${url}/graphiql
  sign in to a node     ${nodeUrl}/login
  administrator         ${demoAccounts.administrator.email} / ${demoAccounts.administrator.password}
  payments              ${stripeUrl === undefined ? 'by Stripe' : `a stand-in for Stripe at ${stripeUrl}: no money moves`}
  servers               ${rented(providers)}
  cluster               ${kubernetesUrl === undefined ? 'that of KUBECONFIG' : `a stand-in for Kubernetes at ${kubernetesUrl}: no pods run`}

Try it:
  TOKEN=$(${login} | sed 's/.*"access_token":"\\([^"]*\\)".*/\\1/')
  curl -s ${url}/api/fleet/instances -H "authorization: Bearer $TOKEN"

${stripeUrl === undefined ? '' : yearOn(url)}A server, whose node is in the fleet some ten seconds later:
  curl -s ${url}/api/hosting/servers -H "authorization: Bearer $TOKEN" -H 'content-type: application/json' \\
    -d '{"provider": "hetzner", "region": "eu-central", "size": "cx31", "name": "production-03", "install_cloud_os": true}'
  The same at DigitalOcean: "provider": "digitalocean", "region": "nyc", "size": "s-2vcpu-4gb"

A deployment in the cluster:
  CLUSTER=$(curl -s ${url}/api/k8s/clusters -H "authorization: Bearer $TOKEN" | sed 's/.*"id":"\\([^"]*\\)".*/\\1/')
  curl -s ${url}/api/k8s/deployments -H "authorization: Bearer $TOKEN" -H 'content-type: application/json' \\
    -d "{\\"cluster_id\\": \\"$CLUSTER\\", \\"name\\": \\"web\\", \\"image\\": \\"nginx:1.27\\", \\"replicas\\": 3}"
  kubectl --kubeconfig ${kubeconfigPath} rollout status deployment/web

A ninth node, to stop and to kill (the token works for an hour):
  npm run agent -- --panel ${url} --token ${enrollmentToken} --simulate --name ninth-01
`;
}
