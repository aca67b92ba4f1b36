import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

import { dockerInfo } from 'systeminformation';

const run = promisify(execFile);

/**
 * What counts as an app: each running container where a Docker engine answers, else each running systemd service,
 * else nothing. `what` says which, so that the figure can be read.
 */
export async function countApps(): Promise<{ count: number; what: string }> {
  const containers = await runningContainers();
  if (containers !== undefined) return { count: containers, what: 'docker containers' };
  const services = await runningServices();
  if (services !== undefined) return { count: services, what: 'systemd services' };
  return { count: 0, what: 'none' };
}

async function runningContainers(): Promise<number | undefined> {
  try {
    // Typed as a number, but absent when no engine answers.
    const running: number | undefined = (await dockerInfo()).containersRunning;
    return Number.isInteger(running) ? running : undefined;
  } catch {
    return undefined;
  }
}

async function runningServices(): Promise<number | undefined> {
  if (process.platform !== 'linux') return undefined;
  const query = ['list-units', '--type=service', '--state=running', '--no-legend', '--plain', '--no-pager'];
  try {
    const { stdout } = await run('systemctl', query, { timeout: 3_000 });
    return stdout.split('\n').filter((line) => line.trim() !== '').length;
  } catch {
    return undefined;
  }
}
