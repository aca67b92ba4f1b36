import { EnvError } from '#platform/env.js';
import { createLogger } from '#platform/logger.js';

import { areaNames } from '../areas.js';
import { run } from '../run.js';
import { subgraphSettings } from '../settings.js';
import { startSubgraph } from '../split.js';

// Split mode: one subgraph of its own, as in `node dist/panel/subgraph.js fleet`.
await run(async (stopped) => {
  const name = areaNames.find((known) => known === process.argv[2]);
  if (!name) throw new EnvError([`usage: subgraph.js <${areaNames.join('|')}>`]);
  const env = subgraphSettings(process.env);
  const subgraph = await startSubgraph(name, { ...env, logger: createLogger(env.panel.LOG_LEVEL), stopped });
  process.stdout.write(`${name} at ${subgraph.url}\n`);
  if (subgraph.setupLink) {
    process.stdout.write(
      `No administrator yet. Open this link once, within 24 hours, to make the first one:\n  ${subgraph.setupLink}\n`,
    );
  }
  return subgraph;
});
