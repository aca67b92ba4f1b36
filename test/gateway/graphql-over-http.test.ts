import { serverAudits } from 'graphql-http';
import { expect, test } from 'vitest';

import { startGateway } from './support/start-gateway.js';

test('every audit of the GraphQL-over-HTTP specification passes', async () => {
  const { url } = await startGateway('in process');
  const audits = serverAudits({ url });
  const results = await Promise.all(audits.map(async ({ name, fn }) => ({ name, result: await fn() })));
  expect(results.length).toBeGreaterThan(55);
  expect(results.filter(({ result }) => result.status !== 'ok')).toEqual([]);
});
