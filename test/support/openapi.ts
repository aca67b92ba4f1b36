import { existsSync, readFileSync } from 'node:fs';

import { Ajv } from 'ajv';

import { assetPath } from '#platform/package-root.js';

type Json = Record<string, unknown>;

/** A vendor's description that is not part of the project, and may lie beside it; undefined when it does not. */
export function vendorFile(name: string): string | undefined {
  return ['..', '../..']
    .map((folder) => assetPath(folder, 'shared/data', name))
    .find((path) => existsSync(path));
}

/** OpenAPI 3.0 as JSON Schema: what is nullable may be null whatever else is said of it. */
export function asJsonSchema(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(asJsonSchema);
  if (node === null || typeof node !== 'object') return node;
  const { nullable, example: _example, ...others } = node as Json;
  const plain = Object.fromEntries(Object.entries(others).map(([key, value]) => [key, asJsonSchema(value)]));
  return nullable === true ? { anyOf: [{ type: 'null' }, plain] } : plain;
}

/** Judges bodies by the schemas of an OpenAPI description. */
export class Description {
  private readonly ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false });

  constructor(file: string) {
    const { components } = JSON.parse(readFileSync(file, 'utf8')) as { components: { schemas: Json } };
    this.ajv.addSchema({ $id: 'api', components: { schemas: asJsonSchema(components.schemas) } });
  }

  /** What is wrong with a body by the schema of this name; empty when nothing is. */
  faults(schema: string, body: unknown): string[] {
    const validate = this.ajv.compile({ $ref: `api#/components/schemas/${schema}` });
    if (validate(body)) return [];
    return (validate.errors ?? []).map(({ instancePath, message }) => `${schema}${instancePath}: ${message}`);
  }
}
