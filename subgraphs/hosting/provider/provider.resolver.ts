import { Arg, Authorized, Ctx, Mutation, Query, Resolver } from 'type-graphql';

import type { SubgraphContext } from '#platform/subgraph/build.js';

import type { Accounts } from './accounts.service.js';
import { ConnectProviderInput, Provider } from './provider.js';

@Resolver()
export class ProviderResolver {
  constructor(private readonly accounts: Accounts) {}

  @Authorized('hosting.provider.read')
  @Query(() => [Provider], {
    description: 'All providers that the panel knows, and how the tenant stands with each.',
  })
  async hostingProviders(@Ctx() { operation }: SubgraphContext): Promise<Provider[]> {
    return this.accounts.providers(operation);
  }

  @Authorized('hosting.provider.manage')
  @Mutation(() => Provider, {
    description:
      'Connects an account with a provider, or gives it another token. The token is tried before it is kept: ' +
      'VALIDATION_FAILED when the provider does not take it or it may not do all that is needed, CONFLICT (OTHER_PROJECT) when it is of ' +
      'another project than servers that are there, (SERVERS_UNDER_WAY) when one was asked for meanwhile, UNAVAILABLE ' +
      '(PROVIDER_AWAY) when that can not be told now.',
  })
  async connectProvider(
    @Arg('input', () => ConnectProviderInput, { description: 'The account.' }) input: ConnectProviderInput,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Provider> {
    return this.accounts.connect(operation, input);
  }

  @Authorized('hosting.provider.manage')
  @Mutation(() => Provider, {
    description:
      'Forgets the account with a provider. Safe to repeat. NOT_FOUND, CONFLICT (SERVERS_LEFT) while servers are there, ' +
      'unless leavesServers says so.',
  })
  async disconnectProvider(
    @Arg('provider', () => String, {
      description: 'The provider, by `Provider.id`: `hetzner` or `digitalocean`.',
    })
    provider: string,
    @Arg('leavesServers', () => Boolean, {
      nullable: true,
      description:
        'Whether servers that are there may be left behind, as when the account was closed. What the provider has of them ' +
        'stays there; here they end (`LEFT_BEHIND`), cost no more, and their nodes leave the fleet. Not unless told.',
    })
    leavesServers: boolean | null | undefined,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Provider> {
    return this.accounts.disconnect(operation, provider, leavesServers === true);
  }
}
