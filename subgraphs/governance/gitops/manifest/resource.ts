/** What a repository may declare. */
export const resourceKinds = [
  'AlertRule',
  'AlertRuleOverrides',
  'DesiredVersion',
  'InstanceGroup',
  'Policy',
] as const;
export type ResourceKind = (typeof resourceKinds)[number];

/** A place in a repository. */
export interface Place {
  file: string;
  /** From 1; null where it is the whole file that is wrong. */
  line: number | null;
}

/** Something that is wrong with what is declared, or with doing it. */
export interface Problem extends Partial<Place> {
  message: string;
}

/** A thing that the repository declares, or that is there. Two of the same kind and name are the same thing. */
export interface Resource {
  kind: ResourceKind;
  name: string;
  /** What it shall be, in the words of the GraphQL input that makes it; everything that counts and nothing else. */
  spec: Readonly<Record<string, unknown>>;
}

export interface Declared extends Resource {
  place: Place;
}

/** Names are the same without case, as they are everywhere in the panel. */
export function keyOf({ kind, name }: Pick<Resource, 'kind' | 'name'>): string {
  return `${kind}/${name.toLowerCase()}`;
}
