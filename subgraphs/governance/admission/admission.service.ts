import { policyViolation } from '#platform/admission/admission.js';
import { notFound } from '#platform/errors.js';
import { inTurns } from '#platform/slices.js';
import type { Operation } from '#platform/subgraph/operation.js';
import { validate } from '#platform/validation.js';

import { kindOf } from '../fact/fact.catalogue.js';
import { reportedMark, type Facts } from '../fact/flatten.js';
import { Policy } from '../policy/policy.entity.js';
import { readRules, type TenantRules } from '../result/active-policies.loader.js';
import { exemptionKey, factsNow, noInstance, type ActivePolicy, type KnownNode } from '../result/evaluate.js';
import { knownNode, nodeColumns, type NodeRow } from '../result/evaluation.service.js';
import { verdicts, type Evidence } from '../rule/compile.js';
import {
  AdmissionSubject,
  admissionRules,
  instanceSubjects,
  type AdmissionAnswer,
  type AdmissionCanary,
  type AdmissionInput,
} from './admission.types.js';

const mostTold = 100;
/** Of each policy, however many there are. */
const mostToldOfOne = 20;

interface Refused {
  policy: ActivePolicy;
  instanceId: string | null;
  evidence: Evidence;
}

interface Refusals {
  /** With what decided, which is looked up for those that are told only. */
  first: Refused[];
  byPolicy: Map<ActivePolicy, { count: number; first: Refused[] }>;
  instanceIds: Set<string>;
}

const none = (): Refusals => ({ first: [], byPolicy: new Map(), instanceIds: new Set() });

/** The one question that other areas ask before they do something. */
export class AdmissionService {
  /** Where `isCounted`, it goes on after the first 100 refusals, so that `refusers` and `refusedInstanceIds` are whole. */
  async ask(operation: Operation, input: AdmissionInput, isCounted = false): Promise<AdmissionAnswer> {
    const { subject, action, instanceIds, tags, facts, isChange } = validate(admissionRules, input);
    const { em, tenantId, clock } = operation;
    const now = clock.now();
    const rules = await readRules(em, tenantId, now);
    const proposed = { ...knownOf(facts ?? {}), 'action.kind': action };
    const isOfCluster = subject === AdmissionSubject.DEPLOYMENT;
    const asked = rules.policies.filter(({ isMandatory, isAboutActions, isAboutClusters, paths }) => {
      if (!isMandatory) return false;
      // No instance, plan or server has what is a cluster's, and the cluster of a workload has to answer for all of it.
      if (isAboutClusters) return isOfCluster;
      return isAboutActions || isChange || paths.some((path) => path in proposed);
    });
    if (asked.length === 0) {
      await requireKnown(operation, instanceIds ?? []);
      return this.told(operation, none(), instanceIds ?? []);
    }
    const nodes = instanceSubjects.has(subject)
      ? await nodesOf(operation, instanceIds ?? [])
      : [subject === AdmissionSubject.PROVISION ? newcomer(tags ?? []) : unknown(tags ?? [])];
    const refused = await refusals(nodes, { ...rules, policies: asked }, proposed, {
      takenBack: await takenBackOf(operation, proposed, instanceIds ?? []),
      now: now.getTime(),
      isCounted,
    });
    return this.told(operation, refused, instanceIds ?? []);
  }

  /** Canaries under way that some of these instances are in, those first that have the most of them. */
  async canaries({ em, tenantId }: Operation, instanceIds: readonly string[]): Promise<AdmissionCanary[]> {
    if (instanceIds.length === 0) return [];
    return em.execute<AdmissionCanary[]>(
      `select canary_id as "canaryId", count(*)::integer as instances from governance.canary_member
       where tenant_id = ? and is_open and instance_id in (select jsonb_array_elements_text(?::jsonb))
       group by canary_id order by 2 desc, 1 limit ?`,
      [tenantId, JSON.stringify(instanceIds), mostTold],
    );
  }

  private async told(
    { em, tenantId }: Operation,
    refused: Refusals,
    instanceIds: readonly string[],
  ): Promise<AdmissionAnswer> {
    const ids = [...refused.byPolicy.keys()].map(({ id }) => id);
    const rows = ids.length > 0 ? await em.find(Policy, { tenantId, id: { $in: ids } }) : [];
    const resolutions = new Map(rows.map(({ id, resolution }) => [id, resolution]));
    const saidOf = ({ id, name }: ActivePolicy) => ({
      policyId: id,
      policyName: name,
      resolution: resolutions.get(id) ?? null,
    });
    const toldOf = ({ policy, ...where }: Refused) => ({ ...saidOf(policy), ...where });
    return {
      isAdmitted: refused.first.length === 0,
      refusals: refused.first.map(toldOf),
      refusers: [...refused.byPolicy]
        .map(([policy, { count, first }]) => ({ ...saidOf(policy), count, refusals: first.map(toldOf) }))
        .toSorted((a, b) => b.count - a.count),
      refusedInstanceIds: [...refused.instanceIds],
      instanceIds,
    };
  }
}

/** Asks within this area. Throws CONFLICT (POLICY_VIOLATION) with the policy and its evidence when it is refused. */
export async function requireAdmitted(
  admission: AdmissionService,
  operation: Operation,
  input: AdmissionInput,
): Promise<void> {
  const { refusals: found } = await admission.ask(operation, input);
  if (found.length > 0) throw policyViolation(found, 'this be done');
}

/** A plan or a workload: nothing is known of it but what is told. */
const unknown = (tags: readonly string[]): KnownNode => ({ ...noInstance, id: '', tags, facts: {} });

/** An instance that is about to be made. */
const newcomer = (tags: readonly string[]): KnownNode => ({
  ...unknown(tags),
  facts: { 'instance.tags': tags },
});

async function requireKnown({ em, tenantId }: Operation, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  const [{ count }] = (await em.execute<{ count: number }[]>(
    `select count(*)::integer as count from governance.node
     where tenant_id = ? and id in (select jsonb_array_elements_text(?::jsonb))`,
    [tenantId, JSON.stringify(ids)],
  )) as [{ count: number }];
  if (count < new Set(ids).size) throw notFound('Instance');
}

async function nodesOf({ em, tenantId }: Operation, ids: readonly string[]): Promise<KnownNode[]> {
  const rows = await em.execute<NodeRow[]>(
    `select ${nodeColumns} from governance.node
     where tenant_id = ? and id in (select jsonb_array_elements_text(?::jsonb))`,
    [tenantId, JSON.stringify(ids)],
  );
  const known = new Map(rows.map((row) => [row.id, row]));
  return [...new Set(ids)].map((id) => {
    const row = known.get(id);
    // One that governance has yet to hear of cannot be judged.
    if (!row) throw notFound('Instance');
    return knownNode(row);
  });
}

/**
 * The instances on which a canary is taking an update back by this very command. What does not hold there already has no
 * say then: it may be what the update has broken. What would not hold only afterwards has.
 */
async function takenBackOf(
  { em, tenantId }: Operation,
  { 'action.kind': action, 'cloud_os.version': version }: Facts,
  ids: readonly string[],
): Promise<ReadonlySet<string>> {
  if (action !== 'command.update' || typeof version !== 'string' || ids.length === 0) return new Set();
  const rows = await em.execute<{ id: string }[]>(
    `select m.instance_id as id from governance.canary_member m
     join governance.canary_dispatch d
       on d.tenant_id = m.tenant_id and d.canary_id = m.canary_id and d.number = m.rollback_dispatch
     where m.tenant_id = ? and m.is_open and m.status = 'ROLLING_BACK' and d.command = 'UPDATE'
       and d.finished_at is null and d.params->>'version' = ?
       and m.instance_id in (select jsonb_array_elements_text(?::jsonb))`,
    [tenantId, version, JSON.stringify(ids)],
  );
  return new Set(rows.map(({ id }) => id));
}

interface Circumstances {
  takenBack: ReadonlySet<string>;
  now: number;
  isCounted: boolean;
}

async function refusals(
  nodes: readonly KnownNode[],
  rules: TenantRules,
  proposed: Facts,
  about: Circumstances,
): Promise<Refusals> {
  const found = none();
  const all = { ...rules, proposed, ...about };
  for await (const node of inTurns(nodes)) {
    refuse(found, node, all);
    if (!about.isCounted && found.first.length === mostTold) break;
  }
  return found;
}

function refuse(
  { first, byPolicy, instanceIds }: Refusals,
  node: KnownNode,
  { policies, exemptions, proposed, takenBack, now }: TenantRules & Circumstances & { proposed: Facts },
): void {
  const today = factsNow(node, now);
  const told = { ...today, ...proposed };
  // Of a cluster all is told that is known: what is not among it there is not.
  const ofCluster = { ...told, [reportedMark]: true };
  for (const policy of policies) {
    const facts = policy.isAboutClusters ? ofCluster : told;
    if (!policy.appliesTo(node)) continue;
    if ((exemptions.get(exemptionKey(policy.id, node.id)) ?? 0) > now) continue;
    if (policy.rule.test(facts, now) !== verdicts.FAIL) continue;
    if (takenBack.has(node.id) && policy.rule.test(today, now) === verdicts.FAIL) continue;
    if (node.id) instanceIds.add(node.id);
    const ofPolicy = byPolicy.get(policy) ?? { count: 0, first: [] };
    byPolicy.set(policy, ofPolicy);
    ofPolicy.count += 1;
    const isTold = first.length < mostTold;
    const isToldOfPolicy = ofPolicy.first.length < mostToldOfOne;
    if (!isTold && !isToldOfPolicy) continue;
    const refused = { policy, instanceId: node.id || null, evidence: policy.rule.explain(facts, now) };
    if (isTold) first.push(refused);
    if (isToldOfPolicy) ofPolicy.first.push(refused);
  }
}

function knownOf(facts: Readonly<Record<string, unknown>>): Facts {
  return Object.fromEntries(Object.entries(facts).filter(([path]) => kindOf(path) !== undefined));
}
