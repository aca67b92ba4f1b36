import type { Database } from '#platform/database/database.js';
import { patience, withPatience } from '#platform/database/patience.js';
import { systemEm } from '#platform/database/system-em.js';
import type { Metrics } from '#platform/metrics.js';

import { haReasonCodes } from './ha.js';
import type { HaService } from './status.service.js';

/** What `haStatus` names as its reasons, for whoever has no administrator's token: a number for each code, 0 where there is none. */
export function measureFaults(metrics: Metrics, database: Database, ha: HaService): void {
  metrics.gauge(
    'panel_ha_faults',
    'What keeps the panel from being healthy, by the codes of the reasons of haStatus, measured at the scrape.',
    ['code'],
    async () => {
      const faults = await withPatience(patience.background, async () => ha.faults(systemEm(database)));
      return haReasonCodes.map((code) => ({
        labels: { code },
        value: faults.filter((fault) => fault.code === code).length,
      }));
    },
  );
}
