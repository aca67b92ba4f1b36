import { globSync, readFileSync } from 'node:fs';

import { parseSync } from 'oxc-parser';

import { assetPath } from '#platform/package-root.js';

/** What the SDK's types say a parameter may be. */
export interface Shape {
  /** Fields of an object. */
  fields?: Map<string, Shape>;
  /** An object of any names. */
  isFree?: boolean;
  element?: Shape;
  /** Words of a closed or open list. */
  words?: string[];
  /** Text, a number or a flag, beside the words. */
  isScalar?: boolean;
}

interface Node {
  type: string;
  [name: string]: unknown;
}

type Scope = Map<string, Node>;

const folder = assetPath('node_modules/stripe/esm');

const scopeOf = (body: readonly Node[]): Scope => {
  const scope: Scope = new Map();
  for (const statement of body) {
    const node = (statement['declaration'] as Node | null | undefined) ?? statement;
    const id = (node['id'] as { name?: string } | undefined)?.name;
    if (id === undefined) continue;
    // An interface and the namespace of its parts share a name.
    scope.set(node.type === 'TSModuleDeclaration' ? `${id}.` : id, node);
  }
  return scope;
};

const parsed = (path: string) =>
  parseSync(path, readFileSync(path, 'utf8')).program.body as unknown as Node[];

const shared = scopeOf(parsed(`${folder}/shared.d.ts`));

/** The parameters of those of these calls that the SDK knows, by `METHOD /path` with `*` for what the path names. */
export function sdkParameters(wanted: ReadonlySet<string>): Map<string, Shape> {
  const found = new Map<string, Shape>();
  const call = /^ {4}(\w+)\([^)]*\) \{\s*return this\._makeRequest\('(\w+)', [`']([^`']*)[`']/gm;
  for (const path of globSync(`${folder}/resources/**/*.d.ts`)) {
    const source = readFileSync(path.replace(/\.d\.ts$/, '.js'), 'utf8');
    const calls = [...source.matchAll(call)].flatMap(([, name = '', method, url = '']) => {
      const key = `${method} ${url.replaceAll(/\$\{[^}]*\}/g, '*')}`;
      return wanted.has(key) ? [{ name, key }] : [];
    });
    // Reading types takes a while.
    if (calls.length === 0) continue;
    const scope = scopeOf(parsed(path));
    const methods = parametersOf(scope);
    for (const { name, key } of calls) {
      const type = methods.get(name);
      found.set(key, type ? shapeOf(type, [scope]) : { fields: new Map() });
    }
  }
  return found;
}

/** The type of `params` of each method of a resource's class. */
function parametersOf(scope: Scope): Map<string, Node> {
  const types = new Map<string, Node>();
  for (const node of scope.values()) {
    if (node.type !== 'ClassDeclaration') continue;
    for (const member of (node['body'] as { body: Node[] }).body) {
      const { name } = member['key'] as { name: string };
      const { params = [] } = (member['value'] ?? {}) as { params?: Node[] };
      const taken = params.find((one) => one['name'] === 'params');
      const type = (taken?.['typeAnnotation'] as { typeAnnotation: Node } | undefined)?.typeAnnotation;
      if (type) types.set(name, type);
    }
  }
  return types;
}

function shapeOf(type: Node, scopes: readonly Scope[]): Shape {
  switch (type.type) {
    case 'TSUnionType':
      return (type['types'] as Node[]).map((one) => shapeOf(one, scopes)).reduce(merged, {});
    case 'TSLiteralType': {
      const { value } = type['literal'] as { value: unknown };
      return value === '' ? {} : { words: [String(value)] };
    }
    case 'TSNullKeyword':
      return {};
    case 'TSTypeLiteral':
      return { isFree: true };
    case 'TSTypeReference':
      return named(type, scopes);
    case 'TSIntersectionType':
      return {};
    default:
      return { isScalar: true };
  }
}

function merged(a: Shape, b: Shape): Shape {
  const fields = a.fields || b.fields ? new Map([...(a.fields ?? []), ...(b.fields ?? [])]) : undefined;
  const words = [...(a.words ?? []), ...(b.words ?? [])];
  return {
    ...(fields && { fields }),
    ...((a.element ?? b.element) && { element: a.element ?? b.element ?? {} }),
    ...(words.length > 0 && { words }),
    isFree: a.isFree === true || b.isFree === true,
    isScalar: a.isScalar === true || b.isScalar === true,
  };
}

function named(type: Node, scopes: readonly Scope[]): Shape {
  const name = type['typeName'] as Node;
  const [argument] = ((type['typeArguments'] as { params?: Node[] } | null)?.params ?? []) as Node[];
  if (name.type === 'TSQualifiedName') {
    const space = (name['left'] as { name: string }).name;
    const inner = scopes.flatMap((scope) => scope.get(`${space}.`) ?? [])[0];
    if (!inner) return { isFree: true };
    const scope = scopeOf((inner['body'] as { body: Node[] }).body);
    return declared(scope.get((name['right'] as { name: string }).name), [scope, ...scopes]);
  }
  const id = name['name'] as string;
  if (id === 'Array' && argument) return { element: shapeOf(argument, scopes) };
  if (id === 'Emptyable' && argument) return shapeOf(argument, scopes);
  if (id === 'OtherString') return {};
  if (id === 'Decimal') return { isScalar: true };
  const local = scopes.flatMap((scope) => scope.get(id) ?? [])[0];
  return local ? declared(local, scopes) : declared(shared.get(id), [shared]);
}

function declared(node: Node | undefined, scopes: readonly Scope[]): Shape {
  if (!node) return { isFree: true };
  if (node.type === 'TSTypeAliasDeclaration') return shapeOf(node['typeAnnotation'] as Node, scopes);
  const fields = new Map<string, Shape>();
  for (const parent of node['extends'] as { expression: { name: string } }[]) {
    const base = shared.get(parent.expression.name);
    for (const [name, shape] of declared(base, [shared]).fields ?? []) fields.set(name, shape);
  }
  for (const member of (node['body'] as { body: Node[] }).body) {
    if (member.type === 'TSIndexSignature') return { isFree: true };
    const key = member['key'] as { name?: string; value?: string };
    const type = (member['typeAnnotation'] as { typeAnnotation: Node }).typeAnnotation;
    fields.set(key.name ?? key.value ?? '', shapeOf(type, scopes));
  }
  return { fields };
}
