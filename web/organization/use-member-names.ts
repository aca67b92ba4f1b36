import { useCallback, useMemo } from 'react';

import { useRead } from '../api/use-read.ts';
import { MemberNamesDocument } from '../generated/graphql.ts';

/** The names of members by their ids: of the first five hundred, and of those who are still members. */
export function useMemberNames(): ReadonlyMap<string, string> {
  const { data } = useRead(MemberNamesDocument);
  return useMemo(() => new Map(data?.members.nodes.map(({ id, name }) => [id, name])), [data]);
}

/** As many as are read. */
const mostNames = 500;

/** Whoever did something, by name where it is a member, else by what it is. */
export function useWho(): (id: string) => string {
  const names = useMemberNames();
  const areAllKnown = names.size > 0 && names.size < mostNames;
  return useCallback(
    (id) => {
      if (id.startsWith('svc:')) return `the panel (${id.slice('svc:'.length)})`;
      if (id.startsWith('apk_')) return `the API key ${id}`;
      const name = names.get(id);
      if (name !== undefined) return name;
      return areAllKnown && id.startsWith('usr_') ? `somebody who is no member here (${id})` : id;
    },
    [names, areAllKnown],
  );
}
