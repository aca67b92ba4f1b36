import type { FormPageLink, PageLink } from '#platform/form-page.js';

import type { LinkKind } from './link-state.js';

/** How the page of a link asks whether the link works. `instead` is offered when it does not. */
export function linkQuery(kind: keyof typeof LinkKind, instead?: PageLink): FormPageLink {
  return {
    query: `query($token: String!) { reply: linkState(kind: ${kind}, token: $token) }`,
    ...(instead ? { instead } : {}),
  };
}
