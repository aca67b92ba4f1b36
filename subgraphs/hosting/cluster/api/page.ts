import type { Call, KubeClient } from './client.js';
import { KubeError } from './kube-error.js';

/** A page of a list, and how many objects the next is to be asked for. */
export interface Page<Item> {
  items: readonly Item[];
  version: string;
  next: string | undefined;
  limit: number;
}

interface List<Item> {
  metadata?: { resourceVersion?: unknown; continue?: unknown } | null;
  items?: readonly Item[];
}

const longestWord = 4_096;
const isWord = (value: unknown): value is string => typeof value === 'string' && value.length <= longestWord;

/** Asks for fewer objects where they are so large that an answer is refused. */
export async function pageOf<Item>(
  client: KubeClient,
  path: string,
  { after, limit: most, ...call }: { after: string | undefined; limit: number } & Call,
): Promise<Page<Item>> {
  for (let limit = most; ; limit = Math.ceil(limit / 5)) {
    try {
      const query = { ...call.query, limit, continue: after };
      const list = await client.get<List<Item>>(path, { ...call, query });
      const { resourceVersion: version, continue: next } = list.metadata ?? {};
      if (!isWord(version) || !Array.isArray(list.items))
        throw new KubeError('FAILED', 'It answered with something else than a list');
      return { version, next: isWord(next) && next !== '' ? next : undefined, items: list.items, limit };
    } catch (error) {
      if (!(error instanceof KubeError) || error.kind !== 'TOO_LARGE' || limit === 1) throw error;
    }
  }
}
