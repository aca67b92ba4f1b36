import { createHash } from 'node:crypto';
import { createReadStream, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { z } from 'zod';

import { OperatorError } from '#platform/errors.js';

export const dumpName = 'panel.dump';
export const manifestName = 'manifest.json';

const shape = z.object({
  format: z.literal(1),
  madeAt: z.iso.datetime(),
  /** Of the server that was dumped, as PostgreSQL counts. */
  serverVersion: z.number().int(),
  /** Who owned it: policies name the owner. */
  owner: z.string(),
  /** The migration steps that each area had. */
  steps: z.record(z.string(), z.array(z.string())),
  /** Which key seals its secrets; the key itself is kept elsewhere. */
  secretsKeyId: z.string().optional(),
  dump: z.object({ bytes: z.number().int(), sha256: z.string() }),
});

/** What a backup says of itself. */
export type Manifest = z.infer<typeof shape>;

export async function describeDump(file: string): Promise<Manifest['dump']> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) {
    hash.update(chunk);
    bytes += chunk.length;
  }
  return { bytes, sha256: hash.digest('hex') };
}

/** Reads a backup's manifest, and makes sure that its dump is the one that was made. */
export async function readBackup(folder: string): Promise<Manifest> {
  const parsed = shape.safeParse(tryRead(join(folder, manifestName)));
  if (!parsed.success)
    throw new OperatorError(
      `${folder} is no backup that this version reads: its ${manifestName} is missing or wrong.`,
    );
  const { dump } = parsed.data;
  const found = await describeDump(join(folder, dumpName)).catch(() => undefined);
  if (found?.sha256 !== dump.sha256)
    throw new OperatorError(`${join(folder, dumpName)} is not what it was when the backup was made.`);
  return parsed.data;
}

function tryRead(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}
