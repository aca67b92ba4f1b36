import { startTestPanel, type TestPanel } from '../../../support/panel.js';

const hour = 3_600;
const day = 24 * hour;

/** A panel at half past noon tomorrow, so that nothing depends on the hour at which the test runs. */
export async function startPanelAtNoon(): Promise<TestPanel> {
  const panel = await startTestPanel();
  const now = panel.clock.now().getTime() / 1000;
  await panel.clock.leap((Math.floor(now / day) * day + 36.5 * hour - now) * 1000);
  return panel;
}
