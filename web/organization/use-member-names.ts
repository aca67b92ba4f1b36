import { useRead } from '../api/use-read.ts';
import { MemberNamesDocument } from '../generated/graphql.ts';

/** The names of members by their ids: of the first hundred, and of those who are still members. */
export function useMemberNames(): ReadonlyMap<string, string> {
  const { data } = useRead(MemberNamesDocument);
  return new Map(data?.members.nodes.map(({ id, name }) => [id, name]));
}
