import type { Project } from '../wire.js';
import type { World } from '../world.js';

export interface Budget {
  limit: number;
  remaining: number;
  /** Seconds since the epoch at which all of it is there again. */
  resetAt: number;
  isSpent: boolean;
}

/** Draws one request of a project's hour, which comes back bit by bit. */
export function draw(world: World, project: Project): Budget {
  const limit = world.requestsAnHour;
  const now = world.now();
  const perMs = limit / 3_600_000;
  const { budget } = project;
  const left = Math.min(limit, budget.left + Math.max(0, now - budget.at) * perMs);
  // What came back is a sum of parts of one.
  const isSpent = left < 1 - 1e-9;
  project.budget = { left: isSpent ? left : Math.max(0, left - 1), at: now };
  const remaining = Math.floor(project.budget.left + 1e-9);
  const resetAt = Math.ceil((now + (limit - project.budget.left) / perMs) / 1000);
  return { limit, remaining, resetAt, isSpent };
}
