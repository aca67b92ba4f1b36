import { createLogger } from '#platform/logger.js';

import { run } from '../run.js';
import { gatewaySettings } from '../settings.js';
import { startGateway } from '../split.js';

// Split mode: a gateway of its own, in front of subgraphs at IDENTITY_URL and so on.
await run(async () => {
  const env = gatewaySettings(process.env);
  const gateway = await startGateway({ ...env, logger: createLogger(env.panel.LOG_LEVEL) });
  process.stdout.write(`gateway at ${gateway.url}\n`);
  return gateway;
});
