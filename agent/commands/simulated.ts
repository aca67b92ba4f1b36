import { succeeded, type CommandHandler, type CommandRun } from './handler.js';

const stepMs = 700;

/** The commands that would change the machine. They take their time, tell each step, and change nothing. */
export function simulatedHandlers(onUpdated: (version: string) => void): Record<string, CommandHandler> {
  return {
    update: async (run) => {
      const version = String(run.params['version']);
      const output = await walk(run, [`Downloading ${version}`, 'Verifying', 'Installing', 'Restarting']);
      onUpdated(version);
      return succeeded(output);
    },
    restart: async (run) => succeeded(await walk(run, ['Stopping apps', 'Restarting', 'Starting apps'])),
    backup: async (run) => succeeded(await walk(run, ['Collecting', 'Encrypting', 'Storing', 'Verifying'])),
    apply_policy: async (run) =>
      succeeded(await walk(run, [`Applying ${String(run.params['policy_id'])}`, 'Checking'])),
  };
}

async function walk({ clock, signal, progress }: CommandRun, steps: readonly string[]): Promise<string> {
  const lines = ['Simulated: nothing on this machine is changed.'];
  for (const [at, step] of steps.entries()) {
    lines.push(`${step} ...`);
    await progress(Math.round((100 * at) / steps.length), lines.join('\n'));
    await clock.delay(stepMs, signal);
  }
  return [...lines, 'Done.'].join('\n');
}
