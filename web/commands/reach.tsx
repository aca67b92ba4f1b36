import type { Told } from '../api/problem.ts';
import { useRead } from '../api/use-read.ts';
import {
  CommandHindrancesDocument,
  CommandReachDocument,
  InstanceDetailDocument,
  type SendCommandInput,
} from '../generated/graphql.ts';
import { wordsIn } from '../parts/form.ts';
import { Problem } from '../parts/problem.tsx';
import { plural } from '../parts/words.ts';

/** Whom a command touches, as far as it is known. */
export interface ReachOf {
  /** Undefined while it is asked for, or nothing is chosen. */
  total: number | undefined;
  names: readonly string[];
  offline: number;
  /** Why it is not known. */
  told: Told | undefined;
  read: () => void;
}

export function targetOf(
  instance: string | undefined,
  tags: string,
): Pick<SendCommandInput, 'instanceIds' | 'tags'> {
  return instance === undefined ? { tags: wordsIn(tags) } : { instanceIds: [instance] };
}

export function useReach(instance: string | undefined, text: string): ReachOf {
  const tags = wordsIn(text);
  const one = useRead(InstanceDetailDocument, {
    variables: { id: instance ?? '' },
    pause: instance === undefined,
  });
  const many = useRead(CommandReachDocument, {
    variables: { tags },
    pause: instance !== undefined || tags.length === 0,
  });
  const { told, read } = instance === undefined ? many : one;
  const nothing = { total: undefined, names: [], offline: 0, told, read };
  if (instance !== undefined) {
    if (!one.data) return nothing;
    const { name, status } = one.data.instance;
    return { total: 1, names: [name], offline: status === 'OFFLINE' ? 1 : 0, told, read };
  }
  if (tags.length === 0 || !many.data) return nothing;
  const { instances, offline } = many.data;
  return {
    total: instances.totalCount,
    names: instances.nodes.map(({ name }) => name),
    offline: offline.totalCount,
    told,
    read,
  };
}

/** Says before anything is sent whom it touches, and what may refuse or delay it. */
export function Reach({ reach: { total, names, offline, told, read } }: { reach: ReachOf }) {
  const { data } = useRead(CommandHindrancesDocument);
  const closing =
    data?.maintenanceWindows.nodes.filter(({ effect, isOpen }) => isOpen === (effect === 'DENY')) ?? [];
  const mandatory = data?.policies.nodes.filter(({ enforcement }) => enforcement === 'MANDATORY') ?? [];
  return (
    <div className="reach" role="status">
      <Problem told={told} retry={read} />
      <p>
        {total === undefined
          ? 'Choose whom it is for.'
          : total === 0
            ? 'No instance has all of these tags.'
            : `It touches ${plural(total, 'instance')}: ${names.join(', ')}${total > names.length ? ' and others' : ''}.`}
      </p>
      {offline > 0 && (
        <p>{plural(offline, 'of them is', 'of them are')} offline and gets it when it is back.</p>
      )}
      {closing.length > 0 && (
        <p>Maintenance windows may delay it: {closing.map(({ name }) => name).join(', ')}.</p>
      )}
      {mandatory.length > 0 && (
        <p>Mandatory policies may refuse it: {mandatory.map(({ name }) => name).join(', ')}.</p>
      )}
    </div>
  );
}
