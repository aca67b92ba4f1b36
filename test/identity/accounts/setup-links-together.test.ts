import { describe, expect, test } from 'vitest';

import { refusal } from '../../support/answers.js';
import { startTestPanel } from '../../support/panel.js';
import { hasRedis, TestRedis } from '../../support/redis.js';
import { World, type GraphQLAnswer } from '../../support/world.js';

const nobody = { ADMIN_EMAIL: '', ADMIN_PASSWORD: '' };

// Several panels need Redis. In CI missing programs are a failure; elsewhere this is left out, which the report says.
describe.skipIf(!hasRedis && process.env['CI'] === undefined)('panels that start together', () => {
  test('each prints a link that opens, until one of them was used', async () => {
    await using redis = await TestRedis.start();
    await using panel = await startTestPanel({ ...nobody, REDIS_URL: redis.url, NODE_NAME: 'one' });
    const others = await Promise.all(
      ['two', 'three', 'four'].map(async (name) => panel.another({ ...nobody, NODE_NAME: name })),
    );
    const tokens = [panel.panel, ...others].map(({ setupLink }) => setupLink!.split('#token=')[1]!);
    expect(new Set(tokens).size).toBe(4);
    const last = new World(others[2]!.url, panel.clock);
    const states = async (world: World) =>
      Promise.all(
        tokens.map(async (token) => {
          const { data } = await world.graphql<{ linkState: string }>(
            'query($token: String!) { linkState(kind: SETUP, token: $token) }',
            { token },
          );
          return data?.linkState;
        }),
      );
    const complete = async (world: World, token: string): Promise<GraphQLAnswer> =>
      world.graphql(
        'mutation($input: CompleteSetupInput!) { completeSetup(input: $input) { user { email } } }',
        {
          input: {
            token,
            account: { email: 'first@setup.example', password: 'correct horse battery', name: 'First' },
          },
        },
      );
    expect(await states(last)).toEqual(['OPEN', 'OPEN', 'OPEN', 'OPEN']);
    // The first to have been printed, at another panel than its own.
    expect((await complete(last, tokens[0]!)).errors).toBeUndefined();
    expect(await states(panel.world)).toEqual(['USED', 'EXPIRED', 'EXPIRED', 'EXPIRED']);
    for (const token of tokens)
      expect(refusal(await complete(panel.world, token))).toEqual({
        code: 'UNAUTHENTICATED',
        reason: 'SETUP_LINK_INVALID',
      });
  }, 180_000);
});
