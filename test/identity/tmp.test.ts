import { test } from 'vitest';
import { startReachablePanel, enrollClient } from './support/oauth.js';
test('x', async () => {
  const panel = await startReachablePanel({ LOG_LEVEL: 'debug' });
  const tenant = await panel.world.tenant();
  try { await enrollClient(panel, tenant); console.log('ok'); } catch (e) { console.log(String(e).slice(0,200));
  console.log(await panel.sql('select xid::text, topic from fleet.outbox'), await panel.sql('select * from identity.oauth_client'));}
  await panel.stop();
});
