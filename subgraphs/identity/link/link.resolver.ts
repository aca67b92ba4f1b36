import { Args, Ctx, Query, Resolver } from 'type-graphql';

import type { SubgraphContext } from '#platform/subgraph/build.js';

import { LinkArgs, LinkState } from './link-state.js';
import type { LinkService } from './link.service.js';

@Resolver()
export class LinkResolver {
  constructor(private readonly links: LinkService) {}

  @Query(() => LinkState, {
    description:
      'Whether a one-time link of the panel still works; asking does not use it up. Public: the token is what is needed.',
  })
  async linkState(
    @Args(() => LinkArgs) { kind, token }: LinkArgs,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<LinkState> {
    return this.links.state(operation, kind, token);
  }
}
