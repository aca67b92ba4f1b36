import { closeSync, openSync, readSync, renameSync, statSync } from 'node:fs';

import { handOver } from './account.js';

const rotateAbove = 16 * 1024 * 1024;

/** Opens the server's log for appending; a large one is first set aside as `.old`. */
export function openLog(file: string): number {
  const before = statSync(file, { throwIfNoEntry: false });
  const isLarge = before !== undefined && before.size > rotateAbove;
  if (isLarge) renameSync(file, `${file}.old`);
  const log = openSync(file, 'a', 0o600);
  if (isLarge) handOver(file, before);
  return log;
}

/** The last words of the server, for the error that reports its failure. */
export function logTail(file: string, from = 0): string {
  const size = sizeOf(file);
  const start = Math.max(from, size - 4000);
  if (size <= start) return '(the log of PostgreSQL is empty)';
  const buffer = Buffer.alloc(size - start);
  const handle = openSync(file, 'r');
  try {
    readSync(handle, buffer, 0, buffer.length, start);
  } finally {
    closeSync(handle);
  }
  return buffer.toString().trim();
}

export function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}
