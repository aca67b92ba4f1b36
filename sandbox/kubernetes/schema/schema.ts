/**
 * What server-side apply has to know of a type: which fields it has, which lists are maps by the keys of their items or
 * sets, and what is one value as a whole.
 */
export type Schema =
  | { type: 'string' | 'integer' | 'boolean' | 'untyped' }
  | { type: 'object'; fields: Readonly<Record<string, Schema>>; isAtomic: boolean }
  | { type: 'map'; of: Schema; isAtomic: boolean }
  | { type: 'list'; of: Schema }
  | { type: 'set'; of: Schema }
  | {
      type: 'keyed';
      of: Schema;
      keys: readonly string[];
      mergeKey: string;
      defaults: Readonly<Record<string, string>>;
    };

type Fields = Readonly<Record<string, Schema>>;

export const text: Schema = { type: 'string' };
export const whole: Schema = { type: 'integer' };
export const flag: Schema = { type: 'boolean' };
/** Whatever it is: what is below is not looked at, but owned field by field. */
export const untyped: Schema = { type: 'untyped' };
export const object = (fields: Fields): Schema => ({ type: 'object', fields, isAtomic: false });
export const atomic = (fields: Fields): Schema => ({ type: 'object', fields, isAtomic: true });
export const map = (of: Schema): Schema => ({ type: 'map', of, isAtomic: false });
export const atomicMap = (of: Schema): Schema => ({ type: 'map', of, isAtomic: true });
/** A list that is one value. */
export const list = (of: Schema): Schema => ({ type: 'list', of });
export const set = (of: Schema): Schema => ({ type: 'set', of });
/** A list whose items are told apart by these keys; the first one is what strategic patches go by. */
export const keyed = (
  keys: readonly string[],
  of: Schema,
  defaults: Record<string, string> = {},
): Schema => ({
  type: 'keyed',
  of,
  keys,
  mergeKey: keys[0]!,
  defaults,
});

/** The schema of one field of a value of this schema; undefined where there is no such field. */
export function fieldOf(schema: Schema, name: string): Schema | undefined {
  switch (schema.type) {
    case 'object':
      return Object.hasOwn(schema.fields, name) ? schema.fields[name] : undefined;
    case 'map':
      return schema.of;
    case 'untyped':
      return untyped;
    case 'string':
    case 'integer':
    case 'boolean':
    case 'list':
    case 'set':
    case 'keyed':
      return undefined;
  }
}
