import { expect, test } from 'vitest';

import { startTestPanel } from '../support/panel.js';

const token = 'a-token-for-the-scraper';

test('metrics are there for whoever has the token, and for nobody else', async () => {
  await using panel = await startTestPanel({ METRICS_TOKEN: token });
  await panel.world.rest('/api/auth/me');
  const scraped = await panel.world.rest('/metrics', { token });
  expect(scraped.text).toMatch(
    /panel_http_request_duration_seconds_count\{transport="rest",method="GET",status="401"\} 1/,
  );
  const others = [
    await panel.world.rest('/metrics'),
    await panel.world.rest('/metrics', { token: 'another-token' }),
  ];
  expect(others.map(({ status }) => status)).toEqual([404, 404]);
});

test('a panel with a database of its own and no token shows its metrics to nobody', async () => {
  await using panel = await startTestPanel();
  expect((await panel.world.rest('/metrics')).status).toBe(404);
});
