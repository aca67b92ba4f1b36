/** What a user may do: any of the verbs on any of the resources, in any of the namespaces. `*` is all of them. */
export interface Rule {
  verbs: readonly string[];
  /** Plural names; `deployments/status` for a subresource. */
  resources: readonly string[];
  /** Everywhere unless told. */
  namespaces?: readonly string[];
}

export interface User {
  rules: readonly Rule[];
  groups: readonly string[];
}

export interface Attempt {
  verb: string;
  resource: string;
  namespace: string | undefined;
}

export const administrator: readonly Rule[] = [{ verbs: ['*'], resources: ['*'] }];
export const viewer: readonly Rule[] = [{ verbs: ['get', 'list', 'watch'], resources: ['*'] }];

export function isAllowed({ rules }: User, { verb, resource, namespace }: Attempt): boolean {
  const holds = (list: readonly string[], word: string) => list.includes('*') || list.includes(word);
  return rules.some(
    (rule) =>
      holds(rule.verbs, verb) &&
      holds(rule.resources, resource) &&
      (rule.namespaces === undefined || (namespace !== undefined && holds(rule.namespaces, namespace))),
  );
}
