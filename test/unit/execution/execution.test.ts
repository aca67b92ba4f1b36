import fc, { type GeneratorValue } from 'fast-check';
import {
  execute,
  GraphQLSchema,
  Kind,
  OperationTypeNode,
  parse,
  print,
  visit,
  type ExecutionArgs,
  type ExecutionResult,
} from 'graphql';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { Engine } from '#platform/execution/engine.js';

import { choicesOf } from './support/choices.js';
import { someDocument, someVariables } from './support/document.js';
import { someSchema } from './support/schema.js';
import { thing, World, type Climate } from './support/world.js';

type Args = Omit<ExecutionArgs, 'schema'>;
type Execute = (args: Args) => ExecutionResult | Promise<ExecutionResult>;
type MakeExecute = (schema: GraphQLSchema) => Execute;

const byEngine: MakeExecute = (schema) => {
  const engine = new Engine(schema);
  return (args) => engine.execute(args);
};
const byGraphql: MakeExecute = (schema) => (args) => execute({ ...args, schema }) as ReturnType<Execute>;

/** All that can be told of an execution from outside. */
async function witness(run: Execute, schema: GraphQLSchema, args: Args, climate: Climate) {
  const world = new World(climate);
  let isLater = false;
  let result: ExecutionResult | { thrown: string };
  try {
    const answer = run({
      ...args,
      contextValue: { world },
      rootValue: thing(world, rootType(schema, args), 'root', schema),
    });
    isLater = 'then' in answer;
    result = await answer;
  } catch (error) {
    result = { thrown: String(error) };
  }
  const atAnswer = world.log.length;
  await world.calm();
  const { errors, ...rest } = result as ExecutionResult;
  return {
    isLater,
    answer: JSON.stringify(rest),
    keys: Object.keys(result),
    errors: errors?.map((error) => ({
      message: error.message,
      path: error.path,
      locations: error.locations,
      extensions: { ...error.extensions },
      name: error.originalError?.name,
    })),
    log: world.log,
    atAnswer,
  };
}

function rootType(schema: GraphQLSchema, { document }: Args) {
  const operation = document.definitions.find((definition) => definition.kind === Kind.OPERATION_DEFINITION)!;
  return schema.getRootType(operation.operation)!;
}

/** Whatever the schema, the document, its variables and what its resolvers do: both are the same from outside. */
function isAlike(make: MakeExecute) {
  return fc.asyncProperty(fc.gen(), async (g: GeneratorValue) => {
    const choices = choicesOf(g);
    const schema = someSchema(choices);
    const text = someDocument(choices, schema);
    const document = parse(text);
    const [ours, theirs] = [make(schema), byGraphql(schema)];
    for (let round = 0; round < 3; round += 1) {
      const climate = {
        seed: choices.below(1e9),
        faults: choices.of([0, 5, 20]),
        promises: choices.of([0, 30, 70]),
      };
      const args = { document, variableValues: someVariables(choices) };
      const expected = await witness(theirs, schema, args, climate);
      expect({ text, ...(await witness(ours, schema, args, climate)) }).toEqual({ text, ...expected });
    }
  });
}

// graphql-js leaves promises of a list alone when a later item breaks it, and Vitest would count their rejections.
let listeners: NodeJS.UnhandledRejectionListener[];
beforeAll(() => {
  listeners = process.listeners('unhandledRejection');
  process.removeAllListeners('unhandledRejection').on('unhandledRejection', () => undefined);
});
afterAll(() => {
  process.removeAllListeners('unhandledRejection');
  for (const listener of listeners) process.on('unhandledRejection', listener);
});

const runs = Number(process.env['EXECUTION_RUNS'] ?? 150);

test('the engine answers, fails and calls resolvers as graphql-js does', async () => {
  // Making a failure simpler takes minutes; its seed and path, which are told, find it again.
  const options = { numRuns: runs, endOnFailure: true };
  await expect(fc.assert(isAlike(byEngine), options)).resolves.toBeUndefined();
}, 600_000);

describe('the comparison finds an engine that', () => {
  const changed =
    (change: (result: ExecutionResult) => ExecutionResult): MakeExecute =>
    (schema) => {
      const run = byEngine(schema);
      return (args) => {
        const result = run(args);
        return result instanceof Promise ? result.then(change) : change(result);
      };
    };
  const given =
    (change: (args: Args) => Args, schemaOf = (schema: GraphQLSchema) => schema): MakeExecute =>
    (schema) => {
      const run = byEngine(schemaOf(schema));
      return (args) => run(change(args));
    };

  test.for<[string, MakeExecute]>([
    [
      'tells of errors in another order',
      changed((result) => ({
        ...(result.errors ? { errors: result.errors.toReversed() } : {}),
        data: result.data,
      })),
    ],
    [
      'loses what comes after the first error',
      changed(({ errors, ...rest }) => ({ ...(errors ? { errors: errors.slice(0, 1) } : {}), ...rest })),
    ],
    [
      'keeps an object that an error should have made null',
      changed((result) => (result.data === null ? { ...result, data: {} } : result)),
    ],
    [
      'executes the fields of a mutation side by side',
      given(
        ({ document, ...args }) => ({
          ...args,
          document: visit(document, {
            OperationDefinition: (node) =>
              node.operation === OperationTypeNode.MUTATION
                ? { ...node, operation: OperationTypeNode.SUBSCRIPTION }
                : undefined,
          }),
        }),
        (schema) => new GraphQLSchema({ ...schema.toConfig(), subscription: schema.getMutationType() }),
      ),
    ],
    [
      'does not read conditions',
      given(({ document, ...args }) => ({
        ...args,
        document: visit(document, { Directive: () => null }),
      })),
    ],
    [
      'knows nothing of where errors are in the document',
      given(({ document, ...args }) => ({ ...args, document: parse(print(document), { noLocation: true }) })),
    ],
    [
      'answers later than it could',
      (schema) => {
        const run = byEngine(schema);
        return async (args) => run(args);
      },
    ],
  ])('%s', { timeout: 60_000 }, async ([, make]) => {
    const { failed } = await fc.check(isAlike(make), { numRuns: 400, endOnFailure: true });
    expect(failed).toBe(true);
  });
});
