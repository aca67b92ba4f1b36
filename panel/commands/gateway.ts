import { EnvError, readAll } from '#platform/env.js';
import { createLogger } from '#platform/logger.js';

import { areaSettings } from '../areas.js';
import { panelEnv } from '../env.js';
import { run } from '../run.js';
import { splitEnv } from '../split-env.js';
import { startGateway } from '../split.js';

// Split mode: a gateway of its own, in front of subgraphs at IDENTITY_URL and so on.
await run(async () => {
  const env = readAll({ panel: panelEnv, split: splitEnv, settings: areaSettings }, process.env);
  // Gateways cannot see each other, so each of them has to share its limits.
  if (env.panel.REDIS_URL === undefined)
    throw new EnvError(['REDIS_URL is required for a gateway of its own']);
  const gateway = await startGateway({ ...env, logger: createLogger(env.panel.LOG_LEVEL) });
  process.stdout.write(`gateway at ${gateway.url}\n`);
  return gateway;
});
