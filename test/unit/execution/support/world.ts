import {
  getNamedType,
  GraphQLBoolean,
  GraphQLEnumType,
  GraphQLError,
  GraphQLFloat,
  GraphQLID,
  GraphQLInt,
  GraphQLScalarType,
  GraphQLString,
  isAbstractType,
  isLeafType,
  isListType,
  isNonNullType,
  type GraphQLLeafType,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLSchema,
} from 'graphql';

import { Dice } from './dice.js';

/** How much goes wrong in a world, in percent of values. */
export interface Climate {
  seed: number;
  faults: number;
  promises: number;
}

/** What one execution meets: the values it is given, and a log of all that it asked for. */
export class World {
  readonly log: string[] = [];
  /** Promises that were begun and have not settled. */
  private pending = 0;

  constructor(readonly climate: Climate) {}

  note(event: string): void {
    this.log.push(event);
  }

  dice(place: string): Dice {
    return new Dice(this.climate.seed, place);
  }

  /** What a resolver, a property or a list has at the place: right or wrong, now or later, given or thrown. */
  outcome(type: GraphQLOutputType, place: string, schema: GraphQLSchema): unknown {
    const dice = this.dice(place);
    if (!dice.chance(this.climate.promises)) return this.value(type, place, dice, schema);
    const begin = () => (this.pending += 1);
    const settle = () => {
      this.pending -= 1;
      this.note(`settled ${place}`);
      return this.value(type, place, dice, schema);
    };
    const ticks = dice.below(5);
    if (dice.chance(10)) return thenable(begin, settle, ticks);
    begin();
    return dice.chance(10) ? soon(settle) : later(settle, ticks);
  }

  /** Waits for all that goes on, also what an answer did not wait for. */
  async calm(): Promise<void> {
    do await new Promise((resolve) => setImmediate(resolve));
    while (this.pending > 0);
  }

  private value(type: GraphQLOutputType, place: string, dice: Dice, schema: GraphQLSchema): unknown {
    if (dice.chance(this.climate.faults)) return this.fault(place, dice);
    if (dice.chance(5)) return dice.of([null, undefined]);
    return this.good(isNonNullType(type) ? type.ofType : type, place, dice, schema);
  }

  private good(type: GraphQLOutputType, place: string, dice: Dice, schema: GraphQLSchema): unknown {
    if (isListType(type)) return this.list(type.ofType, place, dice, schema);
    const named = getNamedType(type);
    if (isLeafType(named)) return dice.of(leaves(named));
    const found = isAbstractType(named)
      ? dice.of(schema.getPossibleTypes(named))
      : (named as GraphQLObjectType);
    return thing(this, found, place, schema);
  }

  private list(item: GraphQLOutputType, place: string, dice: Dice, schema: GraphQLSchema): unknown {
    const outcomes = Array.from({ length: dice.below(4) }, (_, at) => () => {
      try {
        return this.outcome(item, `${place}[${at}]`, schema);
      } catch (thrown) {
        return thrown instanceof Error ? thrown : new Error(String(thrown));
      }
    });
    const closed = () => this.note(`closed ${place}`);
    const breaksAt = dice.chance(this.climate.faults) ? dice.below(4) : undefined;
    switch (dice.below(6)) {
      case 0:
        return new Set(outcomes.map((outcome) => outcome()));
      case 1:
        return (function* items() {
          try {
            for (const [at, outcome] of outcomes.entries()) {
              if (at === breaksAt) throw new Error(`the list at ${place} broke`);
              yield outcome();
            }
          } finally {
            closed();
          }
        })();
      default:
        return outcomes.map((outcome) => outcome());
    }
  }

  private fault(place: string, dice: Dice): unknown {
    const message = `fault at ${place}`;
    switch (dice.below(12)) {
      case 0:
        throw new Error(message);
      case 1:
        // oxlint-disable-next-line typescript/only-throw-error -- resolvers may throw anything
        throw message;
      case 2:
        return new Error(message);
      case 3:
        throw new GraphQLError(message, { extensions: { code: 'ODD' } });
      case 4:
        throw new GraphQLError(message, { path: ['of', 'its', 'own'] });
      case 5:
        return 'abc';
      case 6:
        return { odd: true };
      case 7:
        return Number.NaN;
      case 8:
        return () => dice.of<unknown>([null, 'made', new Error(message)]);
      case 9:
        return [[], 1];
      case 10:
        return Symbol.for('odd');
      default:
        return null;
    }
  }
}

export const color = new GraphQLEnumType({
  name: 'Color',
  values: { RED: { value: 'red' }, GREEN: { value: 2 } },
});

/** A scalar that serializes badly, and whose literals are objects. */
export const odd = new GraphQLScalarType<unknown>({
  name: 'Odd',
  serialize(value) {
    if (value === 'null') return null;
    if (value === 'throw') throw new TypeError('odd value');
    return typeof value === 'object' ? value : `odd ${String(value as string)}`;
  },
  parseValue: (value) => ({ value }),
  parseLiteral: (node) => ({ literal: node.kind }),
});

function leaves(type: GraphQLLeafType): readonly unknown[] {
  switch (type) {
    case GraphQLString:
      return ['text', '', 12, true, { valueOf: () => 'text' }];
    case GraphQLID:
      return ['id', 7, 7.5];
    case GraphQLInt:
      return [0, -5, 2 ** 31, 1.5, '8', true, -0];
    case GraphQLFloat:
      return [0.5, 3, '2.5', Number.POSITIVE_INFINITY];
    case GraphQLBoolean:
      return [true, false, 0, 'true'];
    case color:
      return ['red', 2, 'GREEN'];
    default:
      return [1, 'x', 'null', 'throw', { deep: ['x'] }];
  }
}

/** The property that a field is, which for some has another name. */
export function propertyOf(field: string): string {
  return field.replace('renamed', 'kept');
}

/** An object of a type: a property for each field, or a method where the field is called so. */
export function thing(world: World, type: GraphQLObjectType, place: string, schema: GraphQLSchema): object {
  const made: object = world.dice(`${place} names itself`).chance(70) ? { __typename: type.name } : {};
  Object.defineProperty(made, 'is', { value: type.name });
  Object.defineProperty(made, 'place', { value: place });
  for (const [name, field] of Object.entries(type.getFields())) {
    const at = `${place}.${name}`;
    const isMethod = /^method|^renamed\d*[13579]$/.test(name);
    Object.defineProperty(made, propertyOf(name), {
      get: () => {
        world.note(`read ${at}`);
        if (!isMethod) return world.outcome(field.type, at, schema);
        return function call(this: object, args: unknown, _context: unknown, info: { path: unknown }) {
          world.note(`call ${at} ${this === made} ${JSON.stringify([args, info.path])}`);
          return world.outcome(field.type, at, schema);
        };
      },
    });
  }
  return made;
}

async function later(settle: () => unknown, ticks: number): Promise<unknown> {
  for (let tick = 0; tick < ticks; tick += 1) await Promise.resolve();
  return settle();
}

async function soon(settle: () => unknown): Promise<unknown> {
  await new Promise((resolve) => setImmediate(resolve));
  return settle();
}

/** Not a promise, but with a `then`: some libraries give such. */
function thenable(begin: () => unknown, settle: () => unknown, ticks: number): PromiseLike<unknown> {
  return {
    // oxlint-disable-next-line unicorn/no-thenable -- the point of it
    then: (fulfilled, rejected) => {
      begin();
      return later(settle, ticks).then(fulfilled, rejected);
    },
  };
}
