import type { InstancesCalledQuery } from '../generated/graphql.ts';
import { count, plural } from '../parts/words.ts';

type Found = InstancesCalledQuery['instances'];

/** What was found by a name, and how much of it is where it is to come to (`in the group`) already. */
export function foundText({ totalCount, nodes }: Found, others: Found['nodes'], where: string): string {
  if (totalCount === 0) return 'Nobody is called so.';
  const isCut = totalCount > nodes.length;
  const seen = isCut
    ? `These are the first ${count(nodes.length)} of ${count(totalCount)} that are called so: type more of the name.`
    : `${plural(totalCount, 'instance is', 'instances are')} called so.`;
  const inside = nodes.length - others.length;
  if (others.length === 0) return `${seen} All of them are ${where}.`;
  return inside === 0 ? seen : `${seen} ${plural(inside, 'of them is', 'of them are')} ${where}.`;
}
