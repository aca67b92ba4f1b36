import { once } from 'node:events';
import {
  chownSync,
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';

import { spawnAs } from './account.js';
import { isEmptyOrAbsent, type Location } from './location.js';
import { postgresProcesses } from './processes.js';
import type { ClusterState } from './state.js';
import { until } from './wait.js';

export const superuser = 'panel_owner';

export type Found = 'finished' | 'absent';

/** Looks at what is in the cluster's place and refuses everything that might be somebody's data but not ours. */
export function inspectCluster(location: Location, state: ClusterState): Found {
  const { cluster, marker } = location;
  if (existsSync(marker)) {
    // Only a server that ran writes postmaster.opts. A marker that outlived initdb must not cost anyone's data.
    if (!existsSync(join(cluster, 'postmaster.opts'))) return 'absent';
    throw new Error(
      `${cluster} has been in use although ${marker} calls it half-made. Remove ${marker} to use it.`,
    );
  }
  if (isEmptyOrAbsent(cluster)) {
    if (state.cluster === undefined) return 'absent';
    throw new Error(
      `The database that was made at ${cluster} is gone. Bring it back, or remove postgres.json from DATA_DIR to begin with an empty one.`,
    );
  }
  if (!existsSync(join(cluster, 'PG_VERSION'))) {
    throw new Error(
      `${cluster} holds files that are not a database of this panel. Move them away or choose another DATA_DIR.`,
    );
  }
  if (state.cluster === undefined) {
    throw new Error(
      `${cluster} is a PostgreSQL cluster whose password is unknown: postgres.json is missing from DATA_DIR. Bring that file back or move the cluster away.`,
    );
  }
  return 'finished';
}

/** Runs initdb and leaves the marker. Whatever an interrupted one left behind is removed first; `inspectCluster` has allowed it. */
export async function makeCluster(
  location: Location,
  initdb: string,
  password: string,
  isDurable: boolean,
): Promise<void> {
  const { cluster, marker, passwordFile, account } = location;
  await until(
    `an interrupted initdb to leave ${cluster}`,
    30,
    () => postgresProcesses(cluster).length === 0 || undefined,
  );
  writeFileSync(marker, 'initdb has not finished in the folder beside this file; it may be removed.\n', {
    flush: true,
  });
  mkdirSync(cluster, { recursive: true, mode: 0o700 });
  // The folder itself stays: it may be a mount.
  for (const entry of readdirSync(cluster)) rmSync(join(cluster, entry), { recursive: true });
  rmSync(passwordFile, { force: true });
  writeFileSync(passwordFile, `${password}\n`, { mode: 0o600, flag: 'wx' });
  if (account) for (const path of [cluster, passwordFile]) chownSync(path, account.uid, account.gid);

  const place = ['-D', cluster, '-U', superuser, `--pwfile=${passwordFile}`];
  const kind = ['--auth=scram-sha-256', '--encoding=UTF8', '--locale=C.UTF-8', '--no-instructions'];
  const command = [initdb, ...place, ...kind, ...(isDurable ? [] : ['--no-sync'])] as const;
  try {
    await runToEnd(spawnAs(account, 'KILL', command, ['ignore', 'pipe', 'pipe']).child);
  } finally {
    rmSync(passwordFile, { force: true });
  }
}

/** Declares the cluster finished, once its password is recorded. From here on nothing removes it. */
export function removeMarker({ marker }: Location): void {
  rmSync(marker);
  // Before the first row is durable this must be: after a power cut the marker must not come back alone.
  syncFolder(dirname(marker));
}

async function runToEnd(child: ReturnType<typeof spawnAs>['child']): Promise<void> {
  let output = '';
  const collect = (chunk: Buffer) => {
    output = (output + chunk.toString()).slice(-4000);
  };
  child.stdout?.on('data', collect);
  child.stderr?.on('data', collect);
  const tooLong = setTimeout(() => child.kill('SIGKILL'), 120_000);
  try {
    const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
    if (code !== 0) throw new Error(`initdb failed (${signal ?? code}):\n${output.trim()}`);
  } finally {
    clearTimeout(tooLong);
  }
}

function syncFolder(folder: string): void {
  const handle = openSync(folder, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
