import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';

import { assetPath } from '#platform/package-root.js';

import type { PanelEnv } from './env.js';

/** The version that this code is. */
export const panelVersion: string = (
  JSON.parse(readFileSync(assetPath('package.json'), 'utf8')) as { version: string }
).version;

/** Where others reach what listens on `port`. */
export function addressOf({ HOST = '0.0.0.0', NODE_ADDRESS }: PanelEnv, port: number): string {
  if (NODE_ADDRESS !== undefined) return NODE_ADDRESS;
  const isAnywhere = HOST === '0.0.0.0' || HOST === '::';
  return `${isAnywhere ? hostname() : HOST}:${port}`;
}
