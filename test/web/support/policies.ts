import type { Page } from 'playwright-core';

import { useScene } from '../../governance/support/tenant.js';
import { dataOf } from '../../support/answers.js';
import { startTestPanel } from '../../support/panel.js';
import type { Tenant } from '../../support/world.js';
import { useStage } from './stage.js';

/** A stage on whose panel the policies and nodes of governance's tests are made. */
export const usePolicyStage = () =>
  useStage(async () => {
    const panel = await startTestPanel();
    useScene(panel);
    return panel;
  });

export interface Rule {
  condition?: string | null;
  operator: string;
  value: unknown;
}

/** The rules of a tenant's policies, by the names of these. */
export async function rules(tenant: Tenant): Promise<Record<string, Rule>> {
  const answer = await tenant.graphql<{ policies: { nodes: { name: string; rule: Rule }[] } }>(
    '{ policies { nodes { name rule { condition operator value } } } }',
  );
  return Object.fromEntries(dataOf(answer).policies.nodes.map(({ name, rule }) => [name, rule]));
}

/** What the thing that has the focus is called. */
export const focused = async (page: Page) =>
  page.evaluate<string>('(document.activeElement.labels?.[0] ?? document.activeElement).textContent.trim()');
