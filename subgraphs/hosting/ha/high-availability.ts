import type { AreaContext } from '#platform/area.js';
import type { Sweep } from '#platform/membership/sweep.js';

import { FailoverService } from './failover.service.js';
import { measureFaults } from './fault-metrics.job.js';
import { HaResolver } from './ha.resolver.js';
import { haHistoryRetention } from './history-retention.job.js';
import { membersSweep } from './members.job.js';
import { observeSweep } from './observe.job.js';
import { PatroniClient } from './patroni/client.js';
import { warningsOfView } from './patroni/faults.js';
import { PatroniWatch } from './patroni/watch.js';
import { HaService } from './status.service.js';
import { upgradeSweep } from './upgrade.job.js';
import { UpgradeResolver } from './upgrade.resolver.js';
import { UpgradeService } from './upgrade.service.js';

/** The panel's own high availability, wired by hand. */
export function createHighAvailability(
  patroniUrls: readonly string[],
  { database, logger, metrics }: Pick<AreaContext<unknown>, 'database' | 'logger' | 'metrics'>,
) {
  const patroni =
    patroniUrls.length > 0 ? new PatroniWatch(new PatroniClient(patroniUrls), logger) : undefined;
  const ha = new HaService(patroni);
  measureFaults(metrics, database, ha);
  const sweeps: readonly Sweep[] = [
    observeSweep(patroni),
    ...(patroni ? [membersSweep(patroni)] : []),
    upgradeSweep,
    haHistoryRetention,
  ];
  return {
    resolvers: [
      new HaResolver(ha, new FailoverService(ha, logger)),
      new UpgradeResolver(new UpgradeService()),
    ] as const,
    sweeps,
    start: () => patroni?.start(),
    stop: () => patroni?.stop(),
    /** What does not keep the panel from serving, and should be known. */
    warnings: (): string[] => (patroni?.seen ? warningsOfView(patroni.seen, patroni.client.size) : []),
  };
}
