import { Engine, type TopLevelCondition } from 'json-rules-engine';

import { Connections } from '#platform/database/connections.js';
import { Database } from '#platform/database/database.js';
import { patience, withPatience } from '#platform/database/patience.js';
import { systemEm } from '#platform/database/system-em.js';
import { silentLogger } from '#platform/logger.js';
import { noGroups } from '#subgraphs/governance/group/groups.loader.js';
import { toActive } from '#subgraphs/governance/result/active-policies.loader.js';
import { evaluate, type ActivePolicy } from '#subgraphs/governance/result/evaluate.js';
import { evaluateNodes, nodeColumns, type NodeRow } from '#subgraphs/governance/result/evaluation.service.js';
import { compileRule } from '#subgraphs/governance/rule/compile.js';
import { isCombination, type Rule } from '#subgraphs/governance/rule/rule.js';

import { fixed, publish, type Figure } from './support/report.js';
import { openStage, type Stage } from './support/stage.js';
import { abba, median, pairedRatio } from './support/stats.js';

const ruleCount = 50;
const nodeCount = 10_000;
/** The peer takes so long that it is given a part of the nodes in each round. */
const peerNodes = 200;
/** On the database, where each has a row for each node. */
const keptRules = 10;
const atOnce = 500;
/** Fleets, by their size, and how many of each: what is cold at first is measured in none. */
const fleets = [
  { size: 5_000, count: 1, isWarmUp: true },
  { size: 1_000, count: 10, isWarmUp: false },
  { size: 100_000, count: 1, isWarmUp: false },
];
/** Of the largest fleet a part is judged, spread over all of it: what one costs is asked, and not all of them. */
const judgedOf = 20_000;

const flags = [
  'backup.encryption',
  'disk.encryption',
  'firewall.enabled',
  'ssh.root_login',
  'updates.automatic',
];

function ruleAt(at: number): Rule {
  const flag: Rule = { condition: flags[at % flags.length]!, operator: 'equals', value: at % 3 !== 0 };
  const count: Rule = { condition: 'updates.pending_security', operator: 'lte', value: at % 7 };
  const arch: Rule = { condition: 'arch', operator: 'in', value: ['x64', `other-${at}`] };
  const rack: Rule = { condition: 'custom.rack', operator: 'gt', value: at };
  const kinds: Rule[] = [
    flag,
    count,
    arch,
    { operator: 'all', value: [flag, count, arch] },
    { operator: 'any', value: [rack, { operator: 'all', value: [flag, arch] }] },
  ];
  return kinds[at % kinds.length]!;
}

function factsAt(at: number): Record<string, unknown> {
  const bits = (at * 2_654_435_761) >>> 0;
  return {
    '': true,
    ...Object.fromEntries(flags.map((path, flag) => [path, ((bits >> flag) & 1) === 1])),
    'updates.pending_security': (bits >> 8) % 9,
    arch: (bits >> 12) % 3 === 0 ? 'arm64' : 'x64',
    'custom.rack': (bits >> 16) % 80,
    'instance.tags': [],
    'cloud_os.version': '0.2.9',
  };
}

const operators: Readonly<Record<string, string>> = {
  equals: 'equal',
  lte: 'lessThanInclusive',
  gt: 'greaterThan',
  in: 'in',
};

/** The same rule in the peer's words. */
function peerCondition(rule: Rule): TopLevelCondition {
  if (!isCombination(rule))
    return { all: [{ fact: rule.condition, operator: operators[rule.operator]!, value: rule.value }] };
  const inner = rule.value.map((each) =>
    isCombination(each) ? peerCondition(each) : (peerCondition(each) as { all: object[] }).all[0]!,
  );
  return { [rule.operator]: inner } as unknown as TopLevelCondition;
}

const rules = Array.from({ length: ruleCount }, (_, at) => ruleAt(at));
const policies: ActivePolicy[] = rules.map((rule, at) =>
  toActive(
    {
      id: `pol_${at}`,
      name: `policy ${at}`,
      severity: 'MEDIUM',
      enforcement: 'ADVISORY',
      rule,
      appliesTo: 'all_instances',
    },
    compileRule(rule),
    noGroups,
  ),
);
const node = (at: number) => ({
  id: `inst_${at}`,
  name: `node ${at}`,
  hostname: null,
  status: null,
  tags: [],
  facts: factsAt(at),
  offlineSince: null,
  metrics: {},
  metricsAt: null,
});

/** Policies on the facts of a fleet, against the rules engine that npm has; one change, and a whole fleet, on a database. */
export async function governanceBench(): Promise<void> {
  const figures: Figure[] = [];
  const details: Record<string, unknown> = {};
  const nodes = Array.from({ length: nodeCount }, (_, at) => node(at));
  // It takes no fact without a name.
  const peerFacts = nodes.map(({ facts: { '': _mark, ...facts } }) => facts);
  const engine = new Engine();
  for (const [at, rule] of rules.entries())
    engine.addRule({ name: `pol_${at}`, conditions: peerCondition(rule), event: { type: `pol_${at}` } });
  const ours = (at: number) =>
    evaluate(nodes[at]!, policies, new Map(), 0)
      .results.filter(({ status }) => status === 'PASS')
      .map(({ policy }) => policy.id);
  const theirs = async (at: number) => (await engine.run(peerFacts[at]!)).events.map(({ type }) => type);
  for (let at = 0; at < peerNodes; at += 1) {
    const [a, b] = [new Set(ours(at)), new Set(await theirs(at))];
    if (a.size !== b.size || [...a].some((id) => !b.has(id)))
      throw new Error(`the answers for node ${at} differ`);
  }
  const perSecond = async (count: number, work: (at: number) => unknown) => {
    const before = process.cpuUsage();
    for (let at = 0; at < count; at += 1) await work(at);
    const { user, system } = process.cpuUsage(before);
    return (count * ruleCount * 1e6) / (user + system);
  };
  let from = 0;
  const found = await abba(
    {
      name: 'panel',
      round: async () => perSecond(nodeCount, (at) => void evaluate(nodes[at]!, policies, new Map(), 0)),
    },
    {
      name: 'json-rules-engine',
      round: async () => {
        from = (from + peerNodes) % nodeCount;
        return perSecond(peerNodes, async (at) => engine.run(peerFacts[(from + at) % nodeCount]!));
      },
    },
  );
  const ratio = pairedRatio(found.a, found.b);
  figures.push(
    { what: 'evaluations per second of CPU, with evidence (thousands)', value: fixed(median(found.a) / 1e3) },
    { what: 'the same by json-rules-engine (thousands)', value: fixed(median(found.b) / 1e3) },
    { what: 'panel / json-rules-engine', value: fixed(ratio), target: '>= 20', isMet: ratio >= 20 },
  );
  details['evaluations'] = found;

  const stage = await openStage({ shared_buffers: '256MB' });
  try {
    await onDatabase(stage, figures, details);
  } finally {
    await stage.stop();
  }
  publish({
    name: 'governance',
    setup: `${ruleCount} policies, ${nodeCount} nodes' facts; on PostgreSQL ${keptRules} policies and fleets of 1000 and 100000`,
    figures,
    details,
  });
}

async function onDatabase(stage: Stage, figures: Figure[], details: Record<string, unknown>): Promise<void> {
  const connections = new Connections(stage.url, { requests: 2, background: 2 });
  const database = await Database.open({
    area: 'governance',
    connections,
    entities: [],
    logger: silentLogger,
  });
  const now = new Date();
  for (const { size, count } of fleets)
    for (let at = 0; at < count; at += 1) await seed(stage, tenantAt(size, at), size);
  /** Judges a batch and answers our milliseconds of CPU. */
  const judge = async (tenantId: string, condition: string, values: unknown[], changed?: string) => {
    const before = process.cpuUsage();
    const count = await withPatience(patience.background, async () =>
      systemEm(database).transactional(async (em) => {
        const rows = await em.execute<NodeRow[]>(
          `select ${nodeColumns} from governance.node where tenant_id = ? and ${condition} for update`,
          [tenantId, ...values],
        );
        const judged = rows.map((row) =>
          changed === undefined
            ? row
            : { ...row, facts: { ...row.facts, [changed]: row.facts[changed] !== true } },
        );
        await evaluateNodes({ em, now, publish: () => undefined }, tenantId, judged);
        return rows.length;
      }),
    );
    const { user, system } = process.cpuUsage(before);
    return { count, own: (user + system) / 1e3 };
  };
  const perNode = new Map<number, number>();
  for (const { size, count, isWarmUp } of fleets) {
    let [judged, ms] = [0, 0];
    // Batches of ids that follow one another, as the sweep takes them.
    const stride = Math.max(1, Math.floor(size / judgedOf));
    for (let of = 0; of < count; of += 1)
      for (let from = 0; from < size; from += atOnce * stride) {
        const ids = [idAt(from), idAt(Math.min(from + atOnce, size) - 1)];
        const found = await judge(tenantAt(size, of), 'id >= ? and id <= ? order by id', ids);
        judged += found.count;
        ms += found.own;
      }
    if (judged !== count * Math.min(size, judgedOf)) throw new Error(`${judged} nodes were judged`);
    if (isWarmUp) continue;
    perNode.set(size, ms / judged);
    const whose = count > 1 ? `${count} fleets of ${size}` : `${judged} nodes of ${size}`;
    figures.push({ what: `first sweep, ${whose}: our CPU per node (ms)`, value: fixed(ms / judged, 3) });
  }
  const growth = perNode.get(100_000)! / perNode.get(1_000)!;
  figures.push({
    what: 'CPU per node, 100 000 / 1 000',
    value: fixed(growth),
    target: '<= 2',
    isMet: growth <= 2,
  });
  const changes: number[] = [];
  for (let at = 0; at < 120; at += 1) {
    const { own } = await judge(tenantAt(100_000, 0), 'id = ?', [idAt(at * 7)], 'backup.encryption');
    if (at >= 20) changes.push(own);
  }
  const one = median(changes);
  figures.push({
    what: 'one fact of one node among 100 000: our CPU (ms)',
    value: fixed(one),
    target: '< 5',
    isMet: one < 5,
  });
  details['changes'] = changes;
  details['perNode'] = [...perNode];
  await database.close();
  await connections.close();
}

const tenantAt = (size: number, at: number) => `org_${size}_${at}`;
const idAt = (at: number) => `inst_${String(at).padStart(6, '0')}`;

async function seed(stage: Stage, tenantId: string, size: number): Promise<void> {
  await stage.sql('insert into governance.standing (tenant_id, revision) values ($1, 1)', [tenantId]);
  for (const [at, rule] of rules.slice(0, keptRules).entries())
    await stage.sql(
      `insert into governance.policy (tenant_id, id, name, type, rule, enforcement, severity, applies_to, version,
         created_by, created_at, updated_by, updated_at)
       values ($1, $2, $2, 'bench', $3, 'ADVISORY', 'MEDIUM', '"all_instances"', 1, 'bench', now(), 'bench', now())`,
      [tenantId, `pol_${tenantId}_${at}`, JSON.stringify(rule)],
    );
  for (let from = 0; from < size; from += 10_000) {
    const rows = Array.from({ length: Math.min(10_000, size - from) }, (_, at) => ({
      id: idAt(from + at),
      facts: factsAt(from + at),
    }));
    await stage.sql(
      `insert into governance.node (tenant_id, id, name, facts, reported_at)
       select $1, n.id, n.id, n.facts, now() from jsonb_to_recordset($2::jsonb) as n (id text, facts jsonb)`,
      [tenantId, JSON.stringify(rows)],
    );
  }
  await stage.sql('analyze governance.node');
}
