import DataLoader from 'dataloader';

import { badArgument, notFound } from '#platform/errors.js';
import type { Operation } from '#platform/subgraph/operation.js';
import { pageWindow, toPage, type Page, type PageArgs } from '#platform/subgraph/paging.js';

import { coverageOf, scoreOf, weightUnit, type Weights } from './formula.js';
import {
  mostScores,
  type ByInstanceArgs,
  type InstanceScore,
  type ScoreDay,
  type ScoreInputs,
  type Scores,
} from './score.types.js';

interface NodeScoreRow extends Weights {
  id: string;
  previousScore: number | null;
  violations: number;
  evaluatedAt: Date | null;
}

const columns = `id, passed, known, applicable, violations, previous_score as "previousScore",
  evaluated_at as "evaluatedAt"`;
const longestHistory = 400;

/** Scores as the last evaluations left them. */
export class ScoresService {
  async overall({ database, tenantId, mayLag }: Operation): Promise<Scores> {
    const [sum] = await database.select<
      Weights & { violations: number; instances: number; clusters: number }
    >(
      tenantId,
      `select coalesce(sum(passed), 0)::double precision as passed, coalesce(sum(known), 0)::double precision as known,
         coalesce(sum(applicable), 0)::double precision as applicable,
         coalesce(sum(violations), 0)::integer as violations,
         coalesce(sum(instances), 0)::integer as instances, coalesce(sum(clusters), 0)::integer as clusters
       from (select passed, known, applicable, violations, instances, 0 as clusters
           from governance.score_count where tenant_id = ?
         union all select passed, known, applicable, violations, 0, 1 from governance.cluster where tenant_id = ?) judged`,
      [tenantId, tenantId],
      { mayLag },
    );
    if (!sum) throw new Error('sums have a row');
    const { violations, instances, clusters } = sum;
    return { ...shown(sum), overallScore: scoreOf(sum), violations, instances, clusters };
  }

  /** In the order in which they enrolled. */
  async byInstance(
    { database, tenantId, mayLag }: Operation,
    { first, after }: ByInstanceArgs,
  ): Promise<InstanceScore[]> {
    const size = first ?? 500;
    if (size < 1 || size > mostScores) throw badArgument('first', `must be from 1 to ${mostScores}`);
    const rows = await database.select<NodeScoreRow>(
      tenantId,
      `select ${columns} from governance.node where tenant_id = ? and id > ? order by id limit ?`,
      [tenantId, after ?? '', size],
      { mayLag },
    );
    return rows.map(toScore);
  }

  /** The same with what follows; how many there are the scores that they are of have counted. */
  async page(operation: Operation, args: PageArgs, total: number): Promise<Page<InstanceScore>> {
    const window = pageWindow(args);
    const found = await this.byInstance(operation, { first: window.size + 1, after: window.after ?? null });
    const rows = found.map((score) => Object.assign(score, { id: score.instanceId }));
    return toPage(rows, window, async () => total);
  }

  /** Null of what is no instance of the tenant, or one that governance has yet to hear of. */
  async find(operation: Operation, instanceId: string): Promise<InstanceScore | null> {
    const loader = operation.once(
      ScoresService,
      () => new DataLoader((ids: readonly string[]) => this.load(operation, ids)),
    );
    return loader.load(instanceId);
  }

  async get(operation: Operation, instanceId: string): Promise<InstanceScore> {
    const score = await this.find(operation, instanceId);
    if (!score) throw notFound('Instance');
    return score;
  }

  /** Oldest first. */
  async history({ database, tenantId, clock, mayLag }: Operation, days: number): Promise<ScoreDay[]> {
    if (days < 1 || days > longestHistory) throw badArgument('days', `must be from 1 to ${longestHistory}`);
    const first = new Date(clock.now().getTime() - (days - 1) * 86_400_000);
    const rows = await database.select<Weights & { day: string; violations: number; instances: number }>(
      tenantId,
      `select to_char(day, 'YYYY-MM-DD') as day, passed, known, applicable, violations, instances
       from governance.score_day where tenant_id = ? and day >= ?::date order by day`,
      [tenantId, first.toISOString().slice(0, 10)],
      { mayLag },
    );
    return rows.map((row) => ({
      ...shown(row),
      day: row.day,
      score: scoreOf(row),
      violations: row.violations,
      instances: row.instances,
    }));
  }

  private async load(
    { database, tenantId, mayLag }: Operation,
    ids: readonly string[],
  ): Promise<(InstanceScore | null)[]> {
    const rows = await database.select<NodeScoreRow>(
      tenantId,
      `select ${columns} from governance.node
       where tenant_id = ? and id in (select jsonb_array_elements_text(?::jsonb))`,
      [tenantId, JSON.stringify(ids)],
      { mayLag },
    );
    const byId = new Map(rows.map((row) => [row.id, toScore(row)]));
    return ids.map((id) => byId.get(id) ?? null);
  }
}

function toScore(row: NodeScoreRow): InstanceScore {
  const { id, previousScore, violations, evaluatedAt } = row;
  return { ...shown(row), instanceId: id, score: scoreOf(row), previousScore, violations, evaluatedAt };
}

/** How a score is shown, by what it is made of. */
export function shown(weights: Weights): { coverage: number | null; inputs: ScoreInputs } {
  return {
    coverage: coverageOf(weights),
    inputs: {
      passedWeight: weights.passed * weightUnit,
      knownWeight: weights.known * weightUnit,
      applicableWeight: weights.applicable * weightUnit,
    },
  };
}
