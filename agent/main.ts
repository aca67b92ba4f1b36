import { createAgent, type AgentEvent } from './agent.js';
import { systemClock } from './clock.js';
import { CommandJournal } from './commands/journal.js';
import { CommandRunner } from './commands/runner.js';
import { readAgentEnv } from './env.js';
import { demoFleet } from './fleet.js';
import { holdState } from './held-state.js';
import { LicenceKeeper } from './licence/keeper.js';
import { createLogger, type AgentLogger } from './logger.js';
import { simulatedMetrics, type SimulatedProfile } from './metrics/simulated.js';
import type { MetricsSource } from './metrics/source.js';
import { systemMetrics } from './metrics/system.js';
import { shown, waysThrough, type Proxies } from './proxies.js';
import { readSettings, usage, UsageError, type Settings } from './settings.js';
import { fileStateStore, StateError } from './state-store.js';

/** Exit codes: 0 stopped by a signal, 1 can't go on, 2 called wrongly. */
async function main(): Promise<void> {
  const settings = readSettings(process.argv.slice(2), readAgentEnv());
  if (settings === 'help') {
    process.stdout.write(usage);
    return;
  }
  const logger = createLogger(settings.logLevel);
  const { panelUrl, name, hostname, version, baseUrl, redirectUris, signIn, issuer } = settings;
  if (sendsInTheClear(panelUrl))
    logger.warn({ panelUrl }, 'The credential travels unencrypted; give an https address');

  const held = await holdState(settings.stateFile, logger);
  const ways = waysThrough(settings.proxies, { panelUrl });
  tellOfProxies(settings.proxies, logger);

  let reported = version;
  const commands = new CommandRunner({
    logger,
    journal: new CommandJournal(`${settings.stateFile}.commands`, logger),
    onUpdated: (updated) => (reported = updated),
  });
  const agent = createAgent({
    panelUrl,
    name,
    hostname,
    version: () => reported,
    baseUrl,
    redirectUris,
    signIn,
    issuer,
    logger,
    enrollmentToken: settings.token,
    stateStore: fileStateStore(settings.stateFile),
    metrics: metricsFor(settings),
    ...ways,
    licences: new LicenceKeeper({
      panelUrl,
      fetch: ways.fetch,
      file: `${settings.stateFile}.licence`,
      clock: systemClock,
      logger,
    }),
    onEvent: (event) => void onEvent(event),
    onCommand: async (command, report) => commands.run(command, report),
    listen: true,
  });

  // Someone is there to read it, and a supervisor to start us again: better to say so and end than to linger.
  async function onEvent(event: AgentEvent): Promise<void> {
    if (event.type !== 'enrollment-refused' && event.type !== 'enrollment-failed') return;
    if (event.isStranger)
      complain(`There is no panel at ${panelUrl}; check the address. ${event.message}`, 1);
    else if (event.type === 'enrollment-refused')
      complain(`The panel refuses to enroll this node: ${event.message}`, 1);
    else return;
    await stop();
  }

  async function stop(): Promise<void> {
    commands.stop();
    await agent.stop();
    held.release();
    // A probe that hangs must not hold the process: its supervisor would wait, and kill it.
    setTimeout(() => process.exit(), 1_000).unref();
  }
  const end = () => void stop();
  process.once('SIGTERM', end);
  process.once('SIGINT', end);
  // The terminal is closed.
  process.once('SIGHUP', end);
  await agent.start();
  // Not awaited: it lasts until the panel has heard of all.
  void commands.resume((command) => agent.reporter(command));
  logger.info(
    { panelUrl, name, state: settings.stateFile, simulated: settings.simulate },
    'The agent is at work',
  );
}

/** A demo node when the name is one of theirs, else a quiet small server. */
function metricsFor({ simulate, name, hostname, version, appsPath }: Settings): MetricsSource {
  if (!simulate) return systemMetrics({ appsPath });
  const quiet: SimulatedProfile = {
    name,
    hostname,
    version,
    appsCount: 3,
    cpuCores: 2,
    memoryGb: 4,
    cpuPercent: 14,
    memoryPercent: 41,
    diskPercent: 33,
  };
  return simulatedMetrics(demoFleet.find((node) => node.name === name) ?? quiet, { clock: systemClock });
}

function tellOfProxies({ http, https, noProxy }: Proxies, logger: AgentLogger): void {
  if (http === undefined && https === undefined) return;
  const addresses = { http: http && shown(http), https: https && shown(https), noProxy };
  logger.info(addresses, 'Calls go through a proxy, but for what NO_PROXY names');
}

function sendsInTheClear(panelUrl: string): boolean {
  const { protocol, hostname } = new URL(panelUrl);
  return protocol === 'http:' && !['localhost', '127.0.0.1', '[::1]'].includes(hostname);
}

function complain(message: string, exitCode: number): void {
  process.stderr.write(`${message}\n`);
  process.exitCode = exitCode;
}

try {
  await main();
} catch (error) {
  if (error instanceof UsageError) complain(`${error.message}\nTry --help.`, 2);
  else if (error instanceof StateError) complain(error.message, 1);
  else throw error;
}
