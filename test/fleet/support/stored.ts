import type { TestPanel } from '../../support/panel.js';
import type { Node } from '../../support/world.js';

/** The node's row. */
export async function rowOf(panel: TestPanel, { id }: Node): Promise<Record<string, unknown>> {
  const [row] = await panel.sql('select * from fleet.instance where id = $1', [id]);
  return row!;
}

/** Its samples, the oldest first. */
export async function samplesOf(panel: TestPanel, { id }: Node): Promise<Record<string, unknown>[]> {
  return panel.sql(
    `select at, cpu_percent, memory_percent, disk_percent, net_rx_bytes, net_tx_bytes, load_average
     from fleet.metrics_sample where instance_id = $1 order by at`,
    [id],
  );
}
