import type { SimulatedProfile } from '#agent/metrics/simulated.js';
import { Database } from '#platform/database/database.js';
import { patience, withPatience } from '#platform/database/patience.js';
import type { Logger } from '#platform/logger.js';
import { seedHistory } from '#subgraphs/fleet/seed.js';

export interface DemoHistoryOptions {
  databaseUrl: string;
  tenantId: string;
  nodes: readonly { id: string; profile: SimulatedProfile }[];
  logger: Logger;
}

/**
 * Gives the demo's nodes a past to look at, once; what they measure from now on comes behind it. A demo that cannot have
 * one now does without, and gets it at its next start.
 */
export async function seedDemoHistory(options: DemoHistoryOptions): Promise<void> {
  const { databaseUrl: url, tenantId, nodes, logger } = options;
  const database = await Database.open({ area: 'fleet', url, entities: [], poolSize: 1, logger });
  try {
    const seeding = {
      tenantId,
      now: new Date(),
      nodes: nodes.map(({ id, profile }) => ({
        id,
        cpuPercent: profile.cpuPercent,
        memoryPercent: profile.memoryPercent,
        diskPercent: profile.diskPercent,
        netBytesPerSecond: 32_000 * (1 + profile.appsCount),
      })),
    };
    // On a busy machine it takes longer than a request may.
    await withPatience(patience.long, async () => seedHistory(database, seeding));
  } catch (error) {
    logger.warn({ err: error }, 'The demo has no history yet');
  } finally {
    await database.close();
  }
}
