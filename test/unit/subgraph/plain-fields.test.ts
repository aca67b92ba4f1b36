import { parse, type GraphQLObjectType } from 'graphql';
import {
  Authorized,
  Extensions,
  Field,
  FieldResolver,
  ObjectType,
  Query,
  Resolver,
  Root,
  UseMiddleware,
} from 'type-graphql';
import { expect, test } from 'vitest';

import { ApiError } from '#platform/errors.js';
import { Engine } from '#platform/execution/engine.js';
import { buildSubgraph, type SubgraphDefinition } from '#platform/subgraph/build.js';

const seen: string[] = [];

@ObjectType()
class PlainBase {
  @Field(() => String, { name: 'inherited' })
  kept = 'from above';
}

@ObjectType()
class PlainRow extends PlainBase {
  @Field(() => String)
  plain = 'plain';

  @Field(() => String, { name: 'renamed' })
  other = 'other';

  @Field(() => String)
  get computed(): string {
    return `${this.plain}!`;
  }

  @Field(() => String)
  method(): string {
    return 'called';
  }

  @Authorized('plain.secret.read')
  @Field(() => String, { nullable: true })
  secret = 'secret';

  @Authorized('plain.secret.read')
  @Field(() => String, { name: 'renamedSecret', nullable: true })
  other2 = 'secret';

  @UseMiddleware(async ({ info }, next) => {
    seen.push(info.fieldName);
    return next();
  })
  @Field(() => String)
  watched = 'watched';

  @Field(() => String)
  resolved = 'not this';
}

@Resolver(() => PlainRow)
class PlainResolver {
  @Query(() => PlainRow)
  row(): PlainRow {
    return new PlainRow();
  }

  @Query(() => PlainRow)
  foundRow(): PlainRow {
    return Object.assign(new PlainRow(), { found: 'found' });
  }

  @Extensions({ atHand: 'found' })
  @FieldResolver(() => String)
  costly(@Root() { plain }: PlainRow): string {
    return `worked out from ${plain}`;
  }

  @FieldResolver(() => String)
  resolved(@Root() { plain }: PlainRow): string {
    return `resolved from ${plain}`;
  }
}

const resolver = new PlainResolver();
const wiring = { name: 'plain', resolvers: new Map([[PlainResolver, resolver]]), references: {} };
const built = buildSubgraph({
  name: 'plain',
  resolvers: [resolver],
} as unknown as SubgraphDefinition);

async function ask(fields: string, permissions: readonly string[] = []) {
  const operation = {
    requireViewer: () => undefined,
    require: (permission: string) => {
      if (!permissions.includes(permission)) throw new ApiError('FORBIDDEN', `needs ${permission}`);
    },
  };
  const document = parse(`{ row { ${fields} } }`);
  return new Engine((await built).schema).execute({ document, contextValue: { operation, wiring } });
}

test('fields that are a property have no resolver, and show it whatever its name and whoever declares it', async () => {
  const { schema } = await built;
  const fields = (schema.getType('PlainRow') as GraphQLObjectType).getFields();
  expect(fields['plain']!.resolve).toBeUndefined();
  expect(await ask('plain renamed inherited computed method resolved')).toEqual({
    data: {
      row: {
        plain: 'plain',
        renamed: 'other',
        inherited: 'from above',
        computed: 'plain!',
        method: 'called',
        resolved: 'resolved from plain',
      },
    },
  });
});

test('a field resolver is asked only for objects that do not have its value at hand', async () => {
  const document = parse('{ row { costly } foundRow { costly } }');
  const answer = await new Engine((await built).schema).execute({ document, contextValue: { wiring } });
  expect(answer).toEqual({
    data: { row: { costly: 'worked out from plain' }, foundRow: { costly: 'found' } },
  });
});

test('a field that needs a permission still does', async () => {
  const refused = await ask('secret renamedSecret');
  expect(refused.data).toEqual({ row: { secret: null, renamedSecret: null } });
  expect(refused.errors?.map(({ message }) => message)).toEqual([
    'needs plain.secret.read',
    'needs plain.secret.read',
  ]);
  expect((await ask('secret renamedSecret', ['plain.secret.read'])).data).toEqual({
    row: { secret: 'secret', renamedSecret: 'secret' },
  });
});

test('a field with a middleware of its own still runs through it', async () => {
  seen.length = 0;
  expect((await ask('watched')).data).toEqual({ row: { watched: 'watched' } });
  expect(seen).toEqual(['watched']);
});
