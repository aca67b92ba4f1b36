import type { Desired } from '../deployment/manifest.js';

/** What of a wish is otherwise than before, by name: values may be secrets. */
export function changedIn(now: Desired, was: Desired): string[] {
  const isSame = (name: 'image' | 'replicas' | 'ports' | 'restartedAt') =>
    JSON.stringify(now[name]) === JSON.stringify(was[name]);
  const variables = [...new Set([...Object.keys(was.env), ...Object.keys(now.env)])].toSorted();
  return [
    ...(['image', 'replicas', 'ports', 'restartedAt'] as const).filter((name) => !isSame(name)),
    ...variables.filter((name) => now.env[name] !== was.env[name]).map((name) => `env.${name}`),
  ];
}

/** Whether both want the same pods, however many of them: then there is nothing to roll out, and no new revision. */
export function isSameTemplate(one: Desired, other: Desired): boolean {
  return changedIn(one, other).every((name) => name === 'replicas');
}
