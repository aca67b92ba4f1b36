import type { Consumer } from '#platform/outbox/consumer.js';
import type { MetricsMeasured } from '#schema/events.js';

import { evaluateNodes, nodeColumns, type NodeRow } from '../result/evaluation.service.js';

/** Keeps what instances measure, some hundred of a tenant at a time, and judges them by it. */
export const followMetrics: Consumer = {
  topics: ['fleet.metrics.measured'],
  async handle({ em, event: { tenantId, payload }, now, publish }) {
    const { instances } = payload as unknown as MetricsMeasured;
    const told = new Map(instances.map((each) => [each.instanceId, each]));
    const nodes = await em.execute<NodeRow[]>(
      `select ${nodeColumns} from governance.node
       where tenant_id = ? and id in (select jsonb_array_elements_text(?::jsonb)) order by id for update`,
      [tenantId, JSON.stringify([...told.keys()])],
    );
    const current = nodes.flatMap((node) => {
      const { at, metrics } = told.get(node.id)!;
      // Of the same beat more may be told: what another policy is about.
      const isOlder = node.metricsAt !== null && new Date(node.metricsAt) > new Date(at);
      return !isOlder ? [{ ...node, metrics, metricsAt: at, told: { metrics, metrics_at: at } }] : [];
    });
    await evaluateNodes({ em, now, publish }, tenantId, current);
  },
};
