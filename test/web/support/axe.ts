import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

import type { Page } from 'playwright-core';

const source = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

interface Axe {
  run: (context: object, options?: object) => Promise<{ violations: Violation[] }>;
}

interface Violation {
  id: string;
  nodes: { html: string; failureSummary?: string }[];
}

/** What axe-core finds wrong with the page, in words; by these rules only, if they are named. */
export async function faultsOf(page: Page, rules?: readonly string[]): Promise<string[]> {
  return faultsIn(page, undefined, rules);
}

/** The same of a part of it. */
export async function faultsIn(page: Page, part?: string, rules?: readonly string[]): Promise<string[]> {
  // By the debugger, so that the page's own policy stays in force.
  if (!(await page.evaluate(() => 'axe' in globalThis))) await page.evaluate(source);
  return page.evaluate(
    async ([within, only]) => {
      const { axe, document } = globalThis as unknown as { axe: Axe; document: object };
      // Where that is which is well is asked by nobody.
      const cheap = { resultTypes: ['violations'], selectors: false };
      const options = only ? { ...cheap, runOnly: { type: 'rule', values: only } } : cheap;
      const { violations } = await axe.run(
        within === undefined ? document : { include: [[within]] },
        options,
      );
      return violations.flatMap(({ id, nodes }) =>
        nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary ?? ''}`),
      );
    },
    [part, rules] as const,
  );
}
