import { readFileSync } from 'node:fs';

import { Ajv } from 'ajv';

import type { Schema } from '#sandbox/kubernetes/schema/schema.js';

type Definition = {
  properties?: Record<string, Definition>;
  items?: Definition;
  $ref?: string;
  type?: string;
} & Record<string, unknown>;

const listTypes = { list: 'atomic', set: 'set', keyed: 'map' } as const;

/** Kubernetes' own description of its API (Swagger 2), as a judge. */
export class Description {
  private readonly definitions: Record<string, Definition>;
  private readonly ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false });

  constructor(file: string) {
    const { definitions } = JSON.parse(readFileSync(file, 'utf8')) as {
      definitions: Record<string, Definition>;
    };
    this.definitions = definitions;
    this.ajv.addSchema({ $id: 'k8s', definitions });
  }

  /** What is wrong with a body by the definition of this name; empty when nothing is. */
  faults(name: string, body: unknown): string[] {
    const check = this.ajv.compile({ $ref: `k8s#/definitions/${name}` });
    if (check(body)) return [];
    return (check.errors ?? []).map(({ instancePath, message }) => `${name}${instancePath}: ${message}`);
  }

  /** Where a schema of the stand-in and the definition of this name are not the same. */
  differences(name: string, own: Schema): string[] {
    return this.compare(own, this.definitions[name]!, '');
  }

  private compare(own: Schema, given: Definition, path: string): string[] {
    const theirs = { ...this.definitions[given.$ref?.split('/').at(-1) ?? ''], ...given };
    switch (own.type) {
      case 'untyped':
      case 'map':
        return [];
      case 'object': {
        const known = theirs.properties ?? {};
        return [
          ...Object.keys(known)
            .filter((field) => !Object.hasOwn(own.fields, field))
            .map((field) => `${path} lacks ${field}`),
          ...(own.isAtomic === (theirs['x-kubernetes-map-type'] === 'atomic')
            ? []
            : [`${path} is atomic or not`]),
          ...Object.entries(own.fields).flatMap(([field, of]) =>
            known[field] ? this.compare(of, known[field], `${path}.${field}`) : [`${path} has ${field}`],
          ),
        ];
      }
      case 'list':
      case 'set':
      case 'keyed': {
        const type = (theirs['x-kubernetes-list-type'] as string | undefined) ?? 'atomic';
        const keys = JSON.stringify(theirs['x-kubernetes-list-map-keys']);
        return [
          ...(type === listTypes[own.type] ? [] : [`${path} is a list of type ${type}`]),
          ...(own.type !== 'keyed' || keys === JSON.stringify(own.keys)
            ? []
            : [`${path} has the keys ${keys}`]),
          ...this.compare(own.of, theirs.items ?? {}, `${path}[]`),
        ];
      }
      case 'string':
      case 'integer':
      case 'boolean':
        return theirs.type === own.type ? [] : [`${path} is ${theirs.type}`];
    }
  }
}
