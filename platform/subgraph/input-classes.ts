import { getMetadataStorage } from 'type-graphql';

/** Makes of a coerced value what a resolver takes: instances of the classes that its type is declared by. */
export type ReadInput = (value: unknown) => unknown;

type Values = Record<string, unknown>;
type ClassMetadata = ReturnType<typeof getMetadataStorage>['inputTypes'][number];

const readers = new Map<unknown, ReadInput>();

/** Of a class of `@InputType`; every other type's values are as they are to be. */
export function inputReader(type: unknown): ReadInput {
  let read = readers.get(type);
  if (!read) {
    const isInput = getMetadataStorage().inputTypes.some(({ target }) => target === type);
    read = isInput
      ? objectReader(type as new () => Values, getMetadataStorage().inputTypes)
      : (value) => value;
    readers.set(type, read);
  }
  return read;
}

/** Of a class of `@ArgsType`. */
export function argumentsReader(type: unknown): ReadInput {
  return objectReader(type as new () => Values, getMetadataStorage().argumentTypes);
}

function objectReader(Type: new () => Values, among: readonly ClassMetadata[]): ReadInput {
  let fields: (readonly [name: string, read: ReadInput])[] | undefined;
  const read: ReadInput = (value) => {
    if (value === null || value === undefined) return value;
    if (Array.isArray(value)) return value.map(read);
    // At the first value: inputs may have each other as fields.
    fields ??= fieldsOf(Type, among).map(({ name, getType }) => [name, inputReader(getType())]);
    const made = new Type();
    for (const [name, readField] of fields) {
      const given = (value as Values)[name];
      if (given !== undefined) made[name] = readField(given);
    }
    return made;
  };
  return read;
}

/** Its own, and those of the classes that it extends. */
function fieldsOf(type: object | null, among: readonly ClassMetadata[]): ClassMetadata['fields'] & object {
  if (!type) return [];
  const own = among.find(({ target }) => target === type)?.fields ?? [];
  const above = fieldsOf(Object.getPrototypeOf(type) as object | null, among);
  return [...own, ...above.filter(({ name }) => !own.some((field) => field.name === name))];
}
