import { LRUCache } from 'lru-cache';

import { ApiError, invalid } from '#platform/errors.js';
import { noTurn, Turns } from '#platform/membership/turns.js';
import { inTurns } from '#platform/slices.js';
import type { Operation } from '#platform/subgraph/operation.js';
import { validate } from '#platform/validation.js';

import { isAboutActions, isAboutClusters } from '../fact/fact.catalogue.js';
import { readGroups } from '../group/groups.loader.js';
import { Policy } from '../policy/policy.entity.js';
import { requireKnown } from '../policy/policy.service.js';
import { groupIdsOf } from '../policy/scope.js';
import { readRules, toActive } from '../result/active-policies.loader.js';
import { evaluate, exemptionKey } from '../result/evaluate.js';
import { knownNode, nodeColumns, type NodeRow } from '../result/evaluation.service.js';
import { PolicyStatus } from '../result/result.entity.js';
import { compileRule } from '../rule/compile.js';
import { pathsOf } from '../rule/rule.js';
import {
  previewPolicyRules,
  type PolicyPreview,
  type PolicyPreviewResult,
  type PreviewPolicyInput,
} from './whatif.types.js';

const atOnce = 1_000;
const mostTold = 500;
/** More nodes than that are not looked through while somebody waits. */
const mostNodes = 100_000;
/** For judging them: an ordinary rule needs a tenth of it for as many. */
const mostMs = 3_000;
const mostTenants = 1_000;
const waitMs = 5_000;

/** What a policy would find, before it is made: for a tenant one at a time, as each takes what it may. */
export class WhatIfService {
  private readonly turns = new LRUCache<string, Turns>({ max: mostTenants });

  async preview(operation: Operation, input: PreviewPolicyInput): Promise<PolicyPreview> {
    const { tenantId } = operation;
    const turns = this.turns.get(tenantId) ?? new Turns(1, { waiting: 100, waitMs });
    this.turns.set(tenantId, turns);
    try {
      return await turns.run(async () => this.found(operation, input));
    } catch (error) {
      if ((error as { code?: unknown }).code !== noTurn) throw error;
      throw new ApiError('RATE_LIMITED', 'Other previews of the organization are under way', {
        reason: 'PREVIEWS_UNDER_WAY',
        retryAfterSeconds: waitMs / 1_000,
        cause: error,
      });
    }
  }

  private async found(operation: Operation, input: PreviewPolicyInput): Promise<PolicyPreview> {
    const rules = validate(previewPolicyRules, input);
    if (isAboutActions(pathsOf(rules.rule)))
      throw invalid('input.rule', 'A rule about actions has no results: it is asked before they are done');
    if (isAboutClusters(pathsOf(rules.rule)))
      throw invalid('input.rule', 'A preview is of instances, and this rule is about clusters');
    const { em, tenantId, clock } = operation;
    const now = clock.now();
    const id = rules.policyId ?? '';
    const before = id === '' ? null : await em.findOne(Policy, { tenantId, id });
    if (id !== '' && !before) throw invalid('input.policyId', `There is no policy ${id}`);
    const appliesTo = rules.appliesTo ?? 'all_instances';
    await requireKnown({ em }, tenantId, appliesTo, before?.appliesTo);
    const policy = toActive(
      {
        id,
        name: '',
        severity: 'MEDIUM',
        enforcement: 'ADVISORY',
        rule: rules.rule,
        appliesTo,
      },
      compileRule(rules.rule),
      await readGroups(em, tenantId, groupIdsOf(appliesTo)),
    );
    const { exemptions } = await readRules(em, tenantId, now);
    const counts = { PASS: 0, FAIL: 0, UNKNOWN: 0, EXEMPT: 0 };
    const told: Record<'FAIL' | 'UNKNOWN', PolicyPreviewResult[]> = { FAIL: [], UNKNOWN: [] };
    let seen = 0;
    let after = '';
    let leftMs = mostMs;
    for (;;) {
      const nodes = await em.execute<NodeRow[]>(
        `select ${nodeColumns} from governance.node where tenant_id = ? and id > ? order by id limit ?`,
        [tenantId, after, atOnce],
      );
      const began = performance.now();
      let looked = 0;
      for await (const node of inTurns(nodes, leftMs)) {
        looked += 1;
        const exemptUntil = exemptions.get(exemptionKey(id, node.id));
        const found = evaluate(
          knownNode(node),
          [policy],
          exemptUntil === undefined ? new Map() : new Map([[exemptionKey(id, node.id), exemptUntil]]),
          now.getTime(),
        );
        const [result] = found.results;
        if (!result) continue;
        counts[result.status] += 1;
        if (result.status !== 'FAIL' && result.status !== 'UNKNOWN') continue;
        const list = told[result.status];
        if (list.length < mostTold)
          list.push({ instanceId: node.id, status: PolicyStatus[result.status], evidence: result.evidence });
      }
      leftMs -= performance.now() - began;
      if (looked < nodes.length)
        throw new ApiError(
          'BAD_REQUEST',
          `The fleet could not be looked through within ${mostMs / 1_000} s: use simpler patterns, or fewer`,
        );
      seen += nodes.length;
      if (nodes.length < atOnce) break;
      if (seen >= mostNodes)
        throw new ApiError(
          'BAD_REQUEST',
          `Fleets of more than ${mostNodes} instances cannot be looked through`,
        );
      after = nodes.at(-1)!.id;
    }
    const { PASS: passing, FAIL: failing, UNKNOWN: unknown, EXEMPT: exempt } = counts;
    return {
      passing,
      failing,
      unknown,
      exempt,
      notApplicable: seen - passing - failing - unknown - exempt,
      results: [...told.FAIL, ...told.UNKNOWN].slice(0, mostTold),
    };
  }
}
