import { Arg, Args, Authorized, Ctx, Extensions, ID, Mutation, Query, Resolver } from 'type-graphql';

import type { SubgraphContext } from '#platform/subgraph/build.js';
import { PageArgs, type Page } from '#platform/subgraph/paging.js';

import { ApiKey, ApiKeyPage } from './api-key.entity.js';
import {
  CreateApiKeyInput,
  CreateApiKeyPayload,
  ExchangeApiKeyInput,
  ExchangeApiKeyPayload,
} from './api-key.inputs.js';
import type { ApiKeyService } from './api-key.service.js';

@Resolver()
export class ApiKeyResolver {
  constructor(private readonly service: ApiKeyService) {}

  @Authorized('identity.api-key.manage')
  @Query(() => ApiKeyPage, {
    description: "The tenant's API keys, newest last, ended ones included for 90 days.",
  })
  async apiKeys(
    @Args(() => PageArgs) args: PageArgs,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Page<ApiKey>> {
    return this.service.page(operation, args);
  }

  @Authorized('identity.api-key.manage')
  @Query(() => ApiKey, {
    description: "One of the tenant's API keys, for 90 days after its end too. NOT_FOUND.",
  })
  async apiKey(
    @Arg('id', () => ID, { description: 'The API key.' }) id: string,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<ApiKey> {
    return this.service.get(operation, id);
  }

  @Authorized('identity.api-key.manage')
  @Query(() => [String], { description: 'What a key that the viewer makes may be allowed.' })
  apiKeyPermissions(@Ctx() { operation }: SubgraphContext): string[] {
    return this.service.grantable(operation.requireViewer());
  }

  @Authorized('identity.api-key.manage')
  @Mutation(() => CreateApiKeyPayload, {
    description:
      'Makes an API key, which goes into the Authorization header as a token does. It may do what is listed and no more ' +
      'than its maker, with whom it ends. Each call makes another: one whose answer was lost is found in `apiKeys`, and ' +
      'ended by `revokeApiKey`. VALIDATION_FAILED, FORBIDDEN for anyone but users.',
  })
  async createApiKey(
    @Arg('input', () => CreateApiKeyInput, { description: 'The key.' }) input: CreateApiKeyInput,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<CreateApiKeyPayload> {
    return this.service.create(operation, input);
  }

  @Authorized('identity.api-key.manage')
  @Mutation(() => ApiKey, {
    description: 'Ends an API key: it is refused within seconds. Safe to repeat. NOT_FOUND.',
  })
  async revokeApiKey(
    @Arg('id', () => ID, { description: 'The API key.' }) id: string,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<ApiKey> {
    return this.service.revoke(operation, id);
  }

  @Authorized('identity.api-key.exchange')
  @Extensions({ audit: false })
  @Mutation(() => ExchangeApiKeyPayload, {
    description:
      'For gateways only: trades an API key that came with a request for a token. UNAUTHENTICATED (API_KEY_INVALID).',
  })
  async exchangeApiKey(
    @Arg('input', () => ExchangeApiKeyInput, { description: 'The key.' }) input: ExchangeApiKeyInput,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<ExchangeApiKeyPayload> {
    return { token: await this.service.exchange(operation, input.key) };
  }
}
