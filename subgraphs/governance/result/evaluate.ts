import { storable } from '#platform/subgraph/instant.js';

import type { Facts } from '../fact/flatten.js';
import type { Scoped } from '../policy/scope.js';
import { verdicts, type CompiledRule, type Evidence } from '../rule/compile.js';

/** A policy in force, ready to be asked. */
export interface ActivePolicy {
  id: string;
  name: string;
  severity: string;
  isMandatory: boolean;
  /** When it was last changed, in milliseconds. */
  changedAt: number;
  /** In units of 2.5, so that sums stay whole. */
  weight: number;
  /** The facts that it is about. */
  paths: readonly string[];
  /** About what is about to be done: asked at admission only, as it has no results. */
  isAboutActions: boolean;
  /** About Kubernetes clusters: no instance has a result of it, and of any other no cluster. */
  isAboutClusters: boolean;
  /** About what is measured, which grows stale by itself. */
  isAboutMetrics: boolean;
  appliesTo: (node: Scoped) => boolean;
  rule: CompiledRule;
}

/** What of an instance decides results. */
export interface KnownNode extends Scoped {
  facts: Facts;
  offlineSince: Date | null;
  /** Of a Kubernetes cluster. */
  isCluster?: boolean;
  /** By path, and as of when. */
  metrics: Facts;
  metricsAt: Date | null;
}

/** What only instances have, for whatever else policies are about: a plan, a workload, a cluster. */
export const noInstance = {
  name: '',
  hostname: null,
  status: null,
  offlineSince: null,
  metrics: {},
  metricsAt: null,
} as const;

export type Status = 'PASS' | 'FAIL' | 'UNKNOWN' | 'EXEMPT';

export interface NodeResult {
  policy: ActivePolicy;
  status: Status;
  /** Of those that fail or are unknown. */
  evidence: Evidence | null;
}

export interface Evaluation {
  results: NodeResult[];
  /** Weights in units of 2.5: of what holds, of what is known, and of all that is no exemption. */
  passed: number;
  known: number;
  applicable: number;
  violations: number;
  /** When it has to be looked at again though nothing changes; null when that is never, or in no year that can be kept. */
  dueAt: Date | null;
}

/** What a silent instance said last is believed for a day. */
export const staleAfterMs = 24 * 60 * 60 * 1000;
/** What was measured is told every five minutes. */
export const metricsStaleAfterMs = 15 * 60 * 1000;

/** Policy id and instance id to when an exemption ends, in milliseconds. */
export type Exemptions = ReadonlyMap<string, number>;
export const exemptionKey = (policyId: string, instanceId: string): string => `${policyId} ${instanceId}`;

/**
 * What is known of an instance or a cluster now: of one that has been silent for a day, only what the panel knows by itself;
 * and what was measured lately.
 */
export function factsNow(node: KnownNode, now: number): Facts {
  const { facts, offlineSince, metrics, metricsAt } = node;
  const own = node.isCluster ? clustersOwn : panelsOwn;
  const known = isStale(offlineSince, now) ? own(facts) : facts;
  return metricsAt !== null && now < metricsAt.getTime() + metricsStaleAfterMs
    ? { ...known, ...metrics }
    : known;
}

function panelsOwn(facts: Facts): Facts {
  const { 'cloud_os.version': version, 'instance.tags': tags, 'instance.status': status } = facts;
  return {
    ...(version === undefined ? {} : { 'cloud_os.version': version }),
    'instance.tags': tags,
    'instance.status': status,
  };
}

/** What is known of a cluster without asking it. */
const ownOfClusters = ['name', 'provider', 'region', 'tags', 'status', 'credential_expires_at'].map(
  (name) => `cluster.${name}`,
);

function clustersOwn(facts: Facts): Facts {
  return Object.fromEntries(Object.entries(facts).filter(([path]) => ownOfClusters.includes(path)));
}

function isStale(offlineSince: Date | null, now: number): boolean {
  return offlineSince !== null && now - offlineSince.getTime() >= staleAfterMs;
}

/** All policies on one instance. Reads nothing and never throws. */
export function evaluate(
  node: KnownNode,
  policies: readonly ActivePolicy[],
  exemptions: Exemptions,
  now: number,
): Evaluation {
  const facts = factsNow(node, now);
  const results: NodeResult[] = [];
  let [passed, known, applicable, violations] = [0, 0, 0, 0];
  let due = node.offlineSince ? node.offlineSince.getTime() + staleAfterMs : Infinity;
  if (due <= now) due = Infinity;
  const metricsEnd = node.metricsAt ? node.metricsAt.getTime() + metricsStaleAfterMs : 0;
  for (const policy of policies) {
    if (policy.isAboutActions || policy.isAboutClusters !== (node.isCluster ?? false)) continue;
    if (!policy.appliesTo(node)) continue;
    const exemptUntil = exemptions.get(exemptionKey(policy.id, node.id));
    if (exemptUntil !== undefined && exemptUntil > now) {
      due = Math.min(due, exemptUntil);
      results.push({ policy, status: 'EXEMPT', evidence: null });
      continue;
    }
    const verdict = policy.rule.test(facts, now);
    due = Math.min(due, policy.rule.turnsAt(facts, now));
    if (policy.isAboutMetrics && metricsEnd > now) due = Math.min(due, metricsEnd);
    applicable += policy.weight;
    if (verdict !== verdicts.UNKNOWN) known += policy.weight;
    if (verdict === verdicts.PASS) passed += policy.weight;
    if (verdict === verdicts.FAIL) violations += 1;
    const isPassed = verdict === verdicts.PASS;
    const status = isPassed ? 'PASS' : verdict === verdicts.FAIL ? 'FAIL' : 'UNKNOWN';
    results.push({ policy, status, evidence: isPassed ? null : policy.rule.explain(facts, now) });
  }
  const dueAt = due > storable.last ? null : new Date(due);
  return { results, passed, known, applicable, violations, dueAt };
}
