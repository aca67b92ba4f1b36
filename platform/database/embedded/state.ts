import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { z } from 'zod';

import { handOver } from './account.js';

const clusterState = z.object({
  /** Of the superuser. */
  password: z.string().min(1),
  port: z.number().int().optional(),
  /** Where the finished cluster is, relative to DATA_DIR. Absent until initdb is done. */
  cluster: z.string().optional(),
  /** Identity of the process that started the server and will stop it. */
  owner: z.string().optional(),
  diesWithOwner: z.boolean().optional(),
});

export type ClusterState = z.infer<typeof clusterState>;

function stateFile(dataDir: string): string {
  return join(dataDir, 'postgres.json');
}

/** What earlier starts left in DATA_DIR/postgres.json, or a new password when there was none. */
export function readState(dataDir: string): ClusterState {
  const file = stateFile(dataDir);
  if (!existsSync(file)) return { password: randomBytes(24).toString('base64url') };
  try {
    return clusterState.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch (error) {
    throw new Error(`${file} can't be read; it holds the database's password. Was it made by another user?`, {
      cause: error,
    });
  }
}

export function writeState(dataDir: string, state: ClusterState): void {
  const file = stateFile(dataDir);
  // flush: the rename must not reach the disk before the words do, for the password has no other copy.
  writeFileSync(`${file}.new`, `${JSON.stringify(state, undefined, 2)}\n`, { mode: 0o600, flush: true });
  handOver(`${file}.new`, statSync(file, { throwIfNoEntry: false }));
  renameSync(`${file}.new`, file);
}
