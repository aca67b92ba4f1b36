import type { Page } from 'playwright-core';

import { dataOf } from '../../support/answers.js';
import type { Tenant } from '../../support/world.js';

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
