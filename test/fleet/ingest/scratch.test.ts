import { afterAll, beforeAll, test } from 'vitest';
import { startTestPanel, type TestPanel } from '../../support/panel-loud.js';
let panel: TestPanel;
beforeAll(async () => { panel = await startTestPanel(); });
afterAll(async () => panel.stop());
test('scratch', async () => {
  try {
  const t = await panel.world.tenant(); const n = await t.node(); console.log((await n.beat()).text, (await t.rest('/api/fleet/summary')).text, (await t.rest('/api/fleet/instances/' + n.id + '/metrics/history?range=1h&metric=cpu')).text.slice(-300));for (const r of ['24h','3mo']) console.log((await t.rest('/api/fleet/instances/' + n.id + '/metrics/history?range='+r)).text.slice(-300));
  } catch (e) { console.log(e); }
});
