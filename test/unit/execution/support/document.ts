import {
  getNamedType,
  isCompositeType,
  isInterfaceType,
  isObjectType,
  type GraphQLCompositeType,
  type GraphQLSchema,
} from 'graphql';

import type { Choices } from './choices.js';

const header =
  '($yes: Boolean = true, $no: Boolean = false, $maybe: Boolean, $size: Int, $from: Int = 4, $range: Range, $text: String, $odd: Odd)';

/** An operation over the schema: fragments, conditions, aliases, arguments, keys that meet, fields that are not there. */
export function someDocument({ below, chance, of }: Choices, schema: GraphQLSchema): string {
  const composites = Object.values(schema.getTypeMap()).filter(
    (type) =>
      isCompositeType(type) &&
      !type.name.startsWith('__') &&
      !['Mutation', 'Subscription'].includes(type.name),
  ) as GraphQLCompositeType[];
  const fragments: string[] = [];

  const selectionSet = (type: GraphQLCompositeType, depth: number, spreads: readonly string[]): string => {
    const count = (depth === 3 ? 2 : 1) + below(4);
    return `{ ${Array.from({ length: count }, () => selection(type, depth, spreads)).join(' ')} }`;
  };

  const selection = (type: GraphQLCompositeType, depth: number, spreads: readonly string[]): string => {
    const kind = below(100);
    if (kind < 12) {
      const on = of([undefined, type, ...composites]);
      return `...${on ? ` on ${on.name}` : ''}${conditions()} ${selectionSet(on ?? type, depth, spreads)}`;
    }
    if (kind < 20 && spreads.length > 0) return `...${of(spreads)}${conditions()}`;
    return field(type, depth, spreads);
  };

  const field = (type: GraphQLCompositeType, depth: number, spreads: readonly string[]): string => {
    const all = isObjectType(type) || isInterfaceType(type) ? Object.values(type.getFields()) : [];
    const fits = all.filter((candidate) => depth > 0 || !isCompositeType(getNamedType(candidate.type)));
    if (fits.length === 0 || chance(10)) return `${alias()}__typename${conditions()}`;
    if (chance(2)) return 'missing';
    const chosen = of(fits);
    const named = getNamedType(chosen.type);
    const below = isCompositeType(named) ? ` ${selectionSet(named, depth - 1, spreads)}` : '';
    const given = chosen.args.length > 0 && chance(70) ? someArguments() : '';
    return `${alias()}${chosen.name}${given}${conditions()}${below}`;
  };

  const alias = () => (chance(25) ? `${of(['a', 'b', 'then', 'constructor'])}: ` : '');

  const conditions = (): string => {
    if (!chance(20)) return '';
    return ` @${of(['skip', 'include'])}(if: ${of(['true', 'false', '$yes', '$no', '$yes', '$maybe'])})`;
  };

  const someArguments = (): string => {
    const given = [
      ...(chance(40) ? [`size: ${of(['1', '$size', 'null', '"text"'])}`] : []),
      ...(chance(40)
        ? [`range: ${of(['$range', '{ from: $from }', '{ from: 1, to: 2 }', '{}', 'null'])}`]
        : []),
      ...(chance(40) ? [`must: ${of(['"x"', '$text', 'null'])}`] : []),
      ...(chance(40) ? [`odd: ${of(['$odd', '1', '[2]'])}`] : []),
    ];
    return given.length > 0 ? `(${given.join(', ')})` : '';
  };

  const names = Array.from({ length: below(3) }, (_, at) => `Part${at}`);
  // A fragment spreads only those before it: the others would have no end.
  for (const [at, name] of names.entries()) {
    const on = of(composites);
    fragments.push(`fragment ${name} on ${on.name} ${selectionSet(on, 1, names.slice(0, at))}`);
  }
  const operation = of(['query', 'query', 'mutation', 'subscription']);
  const root = { query: 'Query', mutation: 'Mutation', subscription: 'Subscription' }[operation]!;
  const type = schema.getType(root) as GraphQLCompositeType;
  return [`${operation} Some${header} ${selectionSet(type, 3, names)}`, ...fragments].join('\n');
}

/** Values for its variables; some of them do not fit. */
export function someVariables({ below, of }: Choices): Record<string, unknown> {
  const candidates: Record<string, readonly unknown[]> = {
    yes: [undefined, true, true, false, null],
    no: [undefined, false, true],
    maybe: [undefined, true, false, null],
    size: [undefined, 5, null, 'text'],
    from: [undefined, 6],
    range: [undefined, { from: 2 }, null, { from: 'x', more: 1 }],
    text: [undefined, 'given', 'given', null],
    odd: [undefined, 1, { a: [1] }],
  };
  const given: Record<string, unknown> = {};
  for (const [name, values] of Object.entries(candidates)) {
    const value = of(below(10) === 0 ? values : values.slice(0, 2));
    if (value !== undefined) given[name] = value;
  }
  return given;
}
