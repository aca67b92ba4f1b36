import type { Logger } from '#platform/logger.js';
import type { TracingOptions } from '#platform/telemetry/start.js';

import type { PanelEnv } from './env.js';

/** Where this process's traces go, and as whose. */
export function tracingOptions(env: PanelEnv, service: string, logger: Logger): TracingOptions {
  return {
    endpoint: env.OTEL_EXPORTER_OTLP_ENDPOINT,
    ratio: env.OTEL_TRACES_SAMPLER_ARG,
    service,
    nodeName: env.NODE_NAME,
    logger,
  };
}
