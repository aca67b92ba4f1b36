import type { Drawn } from '../../cloud/dialect.js';
import type { World } from '../../cloud/world.js';
import { HetznerError } from '../errors.js';

/** Draws one request of a project's hour, which comes back bit by bit. */
export function draw(world: World, { project: name }: { project: string }): Drawn {
  const limit = world.requestsAnHour;
  const now = world.now();
  const perMs = limit / 3_600_000;
  const project = world.project(name);
  const { budget } = project;
  const left = Math.min(limit, budget.left + Math.max(0, now - budget.at) * perMs);
  // What came back is a sum of parts of one.
  const isSpent = left < 1 - 1e-9;
  project.budget = { left: isSpent ? left : Math.max(0, left - 1), at: now };
  return {
    headers: {
      'RateLimit-Limit': limit,
      'RateLimit-Remaining': Math.floor(project.budget.left + 1e-9),
      // When all of it is there again.
      'RateLimit-Reset': Math.ceil((now + (limit - project.budget.left) / perMs) / 1000),
    },
    ...(isSpent
      ? { refusal: new HetznerError('rate_limit_exceeded', `limit of ${limit} requests per hour reached`) }
      : {}),
  };
}
