import { slices } from '#platform/slices.js';
import type { Operation } from '#platform/subgraph/operation.js';

import { windowsByInstance, windowsOf } from '../maintenance/held-instances.service.js';
import { forecast, holding, isOpen, type HoldingWindow } from '../maintenance/window.rules.js';
import type { CommandDelay } from './preview.types.js';
import { beginningOf, expiryOf, type CommandRules } from './targets.service.js';

/** Of each all windows are looked at. */
const sliceSize = 500;

export interface Delays {
  all: readonly CommandDelay[];
  byInstance: ReadonlyMap<string, CommandDelay>;
}

/** Which instances windows hold a command back on when it begins. Those that are in the same windows are held back alike. */
export async function delaysOf(
  { database, tenantId, clock }: Operation,
  rules: CommandRules,
  instanceIds: readonly string[],
): Promise<Delays> {
  const byInstance = new Map<string, CommandDelay>();
  if (rules.ignoresWindows) return { all: [], byInstance };
  const expiresAt = expiryOf(rules, clock.now());
  const now = beginningOf(rules, clock.now());
  const windows = await windowsOf(database, tenantId);
  const open = new Set(windows.filter((window) => isOpen(window, now)));
  const mine = await windowsByInstance(database, { tenantId, instanceIds }, windows, now);
  const beginsAt = forecast(windows, now);
  const byWindows = new Map<string, Delay | null>();
  for await (const slice of slices(instanceIds, sliceSize)) {
    for (const id of slice) {
      const its = mine(id);
      const key = its.map((window) => window.id).join(' ');
      let delay = byWindows.get(key);
      if (delay === undefined) {
        const held = holding(its, (window) => open.has(window));
        delay = held.length > 0 ? new Delay(held, () => beginsAt(its), expiresAt) : null;
        byWindows.set(key, delay);
      }
      if (!delay) continue;
      delay.count += 1;
      byInstance.set(id, delay);
    }
  }
  return { all: [...byWindows.values()].filter((delay) => delay !== null), byInstance };
}

/** Until when is reckoned for those that are told only: there may be as many as there are instances. */
class Delay implements CommandDelay {
  count = 0;
  private found: { until: Date | null } | undefined;

  constructor(
    readonly windows: readonly HoldingWindow[],
    private readonly beginsAt: () => Date | null,
    private readonly expiresAt: Date,
  ) {}

  get until(): Date | null {
    this.found ??= { until: this.beginsAt() };
    return this.found.until;
  }

  get expiresBefore(): boolean {
    return this.until === null || this.until >= this.expiresAt;
  }
}
