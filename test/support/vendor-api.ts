import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

import { Ajv, type ValidateFunction } from 'ajv';
import { parse } from 'yaml';

import type { Exchange } from '#sandbox/cloud/http/api.js';

import { asJsonSchema, vendorFile } from './openapi.js';

type Json = Record<string, unknown>;

/** Files of an OpenAPI description that refer to each other, as one tree. */
class Files {
  private readonly read = new Map<string, unknown>();

  /** The node with everything in the place of what referred to it. */
  whole(node: unknown, file: string, path: readonly string[] = []): unknown {
    if (Array.isArray(node)) return node.map((each) => this.whole(each, file, path));
    if (typeof node !== 'object' || node === null) return node;
    const { $ref: reference } = node as { $ref?: unknown };
    if (typeof reference !== 'string')
      return Object.fromEntries(
        Object.entries(node).map(([key, each]) => [key, this.whole(each, file, path)]),
      );
    const [name = '', pointer = ''] = reference.split('#');
    const target = name === '' ? file : resolve(dirname(file), name);
    const id = `${target}#${pointer}`;
    // What refers to itself is anything from there on.
    if (path.includes(id)) return {};
    const found = pointer
      .split('/')
      .slice(1)
      .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
      .reduce<unknown>((at, part) => (at as Json)[part], this.open(target));
    return this.whole(found, target, [...path, id]);
  }

  open(file: string): unknown {
    if (!this.read.has(file)) {
      const text = readFileSync(file, 'utf8');
      this.read.set(file, file.endsWith('.json') ? JSON.parse(text) : parse(text));
    }
    return this.read.get(file);
  }
}

/** Of every list, whether its description says so or not. */
const paging = ['page', 'per_page', 'sort'];

interface Operation {
  parameters?: { in: string; name: string }[];
  requestBody?: { content?: Json };
  responses: Record<string, { content?: Json }>;
}

/** Judges requests and their answers by a vendor's OpenAPI description. */
export class VendorApi {
  private readonly files = new Files();
  private readonly ajv = new Ajv({
    strict: false,
    allErrors: true,
    validateFormats: false,
    unicodeRegExp: false,
  });
  private readonly operations = new Map<string, Operation>();
  private readonly validators = new Map<string, ValidateFunction>();
  private readonly paths: Json;

  /** `prefix`: what paths of the description begin with, and those of exchanges do not. */
  constructor(
    private readonly file: string,
    private readonly prefix = '',
  ) {
    this.paths = (this.files.open(file) as { paths: Json }).paths;
  }

  /** Everything that does not hold, by its place; empty when all holds. */
  faults({ method, path, query, sent, status, answered }: Exchange): string[] {
    const template = this.templateOf(path);
    const operation = template && this.operation(template, method.toLowerCase());
    if (!operation) return [`${method} ${path} is not described`];
    const line = `${method} ${template}`;
    const known = (operation.parameters ?? []).filter((each) => each.in === 'query').map(({ name }) => name);
    const unknown = [...new Set(query.keys())].filter((name) => ![...known, ...paging].includes(name));
    const { responses } = operation;
    const answer =
      responses[String(status)] ??
      responses[`${String(status)[0]}xx`] ??
      responses['default'] ??
      (status >= 400 ? this.refusal() : undefined);
    return [
      ...unknown.map((name) => `${line} takes no ${name}`),
      ...(sent === undefined ? [] : this.judged(`${line} request`, operation.requestBody?.content, sent)),
      ...(answer
        ? this.judged(`${line} ${status}`, answer.content, answered)
        : [`${line} does not answer ${status}`]),
    ];
  }

  /** Where refusals are described once for all operations. */
  private refusal(): { content: Json } | undefined {
    const { components } = this.files.open(this.file) as { components: { schemas?: Json } };
    const schema = components.schemas?.['error_response'];
    const whole = schema && asJsonSchema(this.files.whole(schema, this.file));
    return whole ? { content: { 'application/json': { schema: whole } } } : undefined;
  }

  private judged(what: string, content: Json | undefined, body: unknown): string[] {
    const schema = (content?.['application/json'] as { schema?: Json } | undefined)?.schema;
    if (!schema) return body === undefined ? [] : [`${what} has no body`];
    let validate = this.validators.get(what);
    if (!validate) this.validators.set(what, (validate = this.ajv.compile(schema)));
    if (validate(body)) return [];
    return (validate.errors ?? []).map(({ instancePath, message }) => `${what}${instancePath}: ${message}`);
  }

  private operation(template: string, method: string): Operation | undefined {
    const key = `${method} ${template}`;
    const known = this.operations.get(key);
    if (known) return known;
    const item = this.files.whole({ [method]: (this.paths[template] as Json)[method] }, this.file) as Record<
      string,
      Operation | undefined
    >;
    const found = item[method];
    if (found) this.operations.set(key, asJsonSchema(found) as Operation);
    return this.operations.get(key);
  }

  private templateOf(path: string): string | undefined {
    const whole = this.prefix + path;
    if (Object.hasOwn(this.paths, whole)) return whole;
    return Object.keys(this.paths).find((template) =>
      new RegExp(`^${template.replaceAll(/\{[^/]+\}/g, '[^/]+')}$`).test(whole),
    );
  }
}

/** Undefined where the description is not beside the project. */
export function hetznerApi(): VendorApi | undefined {
  const file = vendorFile('hetzner-cloud.openapi.json');
  return file === undefined ? undefined : new VendorApi(file);
}

/** Undefined where the description is not beside the project. */
export function digitalOceanApi(): VendorApi | undefined {
  const archive = vendorFile('digitalocean.openapi.tar.gz');
  if (archive === undefined) return undefined;
  const folder = mkdtempSync(join(tmpdir(), 'digitalocean-'));
  execFileSync('tar', ['-xzf', archive, '-C', folder]);
  return new VendorApi(join(folder, 'specification', 'DigitalOcean-public.v2.yaml'), '/v2');
}
