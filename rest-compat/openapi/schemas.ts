import {
  getNamedType,
  getNullableType,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
  isRequiredInputField,
  type GraphQLInputObjectType,
  type GraphQLInputType,
  type GraphQLLeafType,
  type GraphQLOutputType,
} from 'graphql';

import { isReport, unknownFields } from '../inputs.js';
import type { Selection } from '../selection.js';
import { snakeCase } from '../text.js';

/** JSON Schema as OpenAPI 3.1 has it. */
export type Schema = Readonly<Record<string, unknown>>;

/** How the scalars look in JSON, those of reports as they should: of what they are not a warning tells. */
const scalars: Readonly<Record<string, Schema>> = {
  String: { type: 'string' },
  ID: { type: 'string' },
  Int: { type: 'integer', format: 'int32' },
  Float: { type: 'number' },
  Boolean: { type: 'boolean' },
  DateTime: { type: 'string', format: 'date-time' },
  JSON: {},
  JSONObject: { type: 'object' },
  MinorUnits: { type: 'integer', format: 'int64' },
  Measurement: { type: 'number' },
  ReportedText: { type: 'string' },
  ReportedTime: { type: 'string', format: 'date-time' },
};

/** The schemas of bodies and answers; objects are kept under the names of their GraphQL types and referred to. */
export class Schemas {
  readonly named: Record<string, Schema> = {};

  /** Of a value that a client sends. */
  input(type: GraphQLInputType): Schema {
    return isNonNullType(type) ? this.present(type.ofType) : orNull(this.present(type));
  }

  /** The same where null can not be sent, as in a query. */
  present(type: GraphQLInputType): Schema {
    if (isNonNullType(type)) return this.present(type.ofType);
    if (isListType(type)) return { type: 'array', items: this.input(type.ofType) };
    return isInputObjectType(type) ? this.inputObject(type) : leaf(type);
  }

  /** Of a value that is answered. `dropped` are the dot paths of what is left out when it is null. */
  output(type: GraphQLOutputType, children?: Selection, dropped: readonly string[] = []): Schema {
    return isNonNullType(type)
      ? this.shown(type.ofType, children, dropped)
      : orNull(this.shown(type, children, dropped));
  }

  /** The same where it is left out rather than null. */
  shown(type: GraphQLOutputType, children?: Selection, dropped: readonly string[] = []): Schema {
    const present = getNullableType(type);
    if (isListType(present)) return { type: 'array', items: this.output(present.ofType, children, dropped) };
    if (!children) return leaf(present as GraphQLLeafType);
    return this.keep(getNamedType(present).name, this.object(children, dropped));
  }

  private object(children: Selection, dropped: readonly string[]): Schema {
    const properties: Record<string, Schema> = {};
    const required: string[] = [];
    for (const [key, { type, children: inner, description }] of children) {
      const below = dropped.flatMap((path) =>
        path.startsWith(`${key}.`) ? [path.slice(key.length + 1)] : [],
      );
      const isDropped = dropped.includes(key);
      const schema = isDropped ? this.shown(type, inner, below) : this.output(type, inner, below);
      properties[key] = described(schema, description);
      if (!isDropped) required.push(key);
    }
    return { type: 'object', properties, required };
  }

  private inputObject(type: GraphQLInputObjectType): Schema {
    const reference = { $ref: `#/components/schemas/${type.name}` };
    if (this.named[type.name]) return reference;
    // Before its fields are looked at, as it may contain itself.
    this.named[type.name] = {};
    const properties: Record<string, Schema> = {};
    const required: string[] = [];
    for (const field of Object.values(type.getFields())) {
      if (field.name === unknownFields) continue;
      const key = snakeCase(field.name);
      properties[key] = described(this.input(field.type), field.description);
      if (isRequiredInputField(field)) required.push(key);
    }
    this.named[type.name] = {
      type: 'object',
      ...(type.description ? { description: type.description } : {}),
      properties,
      ...(required.length > 0 ? { required } : {}),
      additionalProperties: isReport(type),
      ...(type.isOneOf ? { minProperties: 1, maxProperties: 1 } : {}),
    };
    return reference;
  }

  /** Where routes show the same type by other fields, the first shape has the name. */
  private keep(name: string, schema: Schema): Schema {
    this.named[name] ??= schema;
    return JSON.stringify(this.named[name]) === JSON.stringify(schema)
      ? { $ref: `#/components/schemas/${name}` }
      : schema;
  }
}

function leaf(type: GraphQLLeafType): Schema {
  if (isEnumType(type))
    return { type: 'string', enum: type.getValues().map(({ name }) => name.toLowerCase()) };
  const scalar = scalars[type.name];
  if (!scalar) throw new Error(`it is not known how ${type.name} looks in JSON`);
  return scalar;
}

function orNull(schema: Schema): Schema {
  if (schema['$ref'] !== undefined) return { anyOf: [schema, { type: 'null' }] };
  const { type, enum: words } = schema;
  return {
    ...schema,
    ...(type === undefined ? {} : { type: [type, 'null'] }),
    ...(Array.isArray(words) ? { enum: [...(words as unknown[]), null] } : {}),
  };
}

export function described(schema: Schema, description: string | null | undefined): Schema {
  return description ? { ...schema, description } : schema;
}
