import { Arg, Args, Authorized, Ctx, ID, Mutation, Query, Resolver } from 'type-graphql';

import type { SubgraphContext } from '#platform/subgraph/build.js';
import type { Page } from '#platform/subgraph/paging.js';

import { EnrollmentToken, EnrollmentTokenPage } from './enrollment-token.entity.js';
import {
  CreateEnrollmentTokenInput,
  CreateEnrollmentTokenPayload,
  CreateServerEnrollmentTokenInput,
  EnrollInstanceInput,
  EnrollInstancePayload,
  EnrollmentTokensArgs,
} from './enrollment.inputs.js';
import type { EnrollmentService } from './enrollment.service.js';
import { listTokens } from './token-list.service.js';

@Resolver()
export class EnrollmentResolver {
  constructor(private readonly enrollments: EnrollmentService) {}

  @Authorized('fleet.token.read')
  @Query(() => EnrollmentTokenPage, {
    description:
      "The tenant's enrollment tokens, newest last, ended ones included, until 90 days after they would have expired, unless `filter` tells otherwise.",
  })
  async enrollmentTokens(
    @Args(() => EnrollmentTokensArgs) args: EnrollmentTokensArgs,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Page<EnrollmentToken>> {
    return listTokens(operation, args);
  }

  @Authorized('fleet.token.read')
  @Query(() => EnrollmentToken, { description: 'One enrollment token. NOT_FOUND.' })
  async enrollmentToken(
    @Arg('id', () => ID, { description: 'The enrollment token.' }) id: string,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<EnrollmentToken> {
    return this.enrollments.token(operation, id);
  }

  @Authorized('fleet.token.create')
  @Mutation(() => CreateEnrollmentTokenPayload, {
    description: 'Makes an enrollment token. VALIDATION_FAILED.',
  })
  async createEnrollmentToken(
    @Arg('input', () => CreateEnrollmentTokenInput, { description: 'The token.' })
    input: CreateEnrollmentTokenInput,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<CreateEnrollmentTokenPayload> {
    return this.enrollments.createToken(operation, input);
  }

  @Authorized('fleet.server-token.create')
  @Mutation(() => CreateEnrollmentTokenPayload, {
    description:
      "Makes the enrollment token of a server that is being provisioned: one use, one host name, and a place under the plan's " +
      'limit until then. An earlier one of the server ends. For hosting only. VALIDATION_FAILED, LIMIT_REACHED (INSTANCES_LIMIT, ' +
      'STORAGE_LIMIT) when the plan allows no more instances or less storage than is in use, CONFLICT (PAYMENT_OVERDUE).',
  })
  async createServerEnrollmentToken(
    @Arg('input', () => CreateServerEnrollmentTokenInput, { description: 'The server and its token.' })
    input: CreateServerEnrollmentTokenInput,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<CreateEnrollmentTokenPayload> {
    return this.enrollments.createServerToken(operation, input);
  }

  @Authorized('fleet.token.revoke')
  @Mutation(() => EnrollmentToken, {
    description: 'Ends an enrollment token; instances that came in by it stay. Safe to repeat. NOT_FOUND.',
  })
  async revokeEnrollmentToken(
    @Arg('id', () => ID, { description: 'The enrollment token.' }) id: string,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<EnrollmentToken> {
    return this.enrollments.revokeToken(operation, id);
  }

  @Mutation(() => EnrollInstancePayload, {
    description:
      'Joins a node to the tenant of the enrollment token. Public. UNAUTHENTICATED (TOKEN_INVALID, TOKEN_REVOKED, ' +
      'TOKEN_EXPIRED, TOKEN_USED_UP, TOKEN_BOUND, TENANT_SUSPENDED), VALIDATION_FAILED, LIMIT_REACHED ' +
      '(INSTANCES_LIMIT, STORAGE_LIMIT) when the plan allows no more instances or less storage than is in use, CONFLICT ' +
      '(PAYMENT_OVERDUE). ' +
      'Repeated under an idempotency key it answers the same instance, with a credential as good as the first.',
  })
  async enrollInstance(
    @Arg('input', () => EnrollInstanceInput, { description: 'The node and its token.' })
    input: EnrollInstanceInput,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<EnrollInstancePayload> {
    return this.enrollments.enroll(operation, input);
  }
}
