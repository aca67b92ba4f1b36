import { Args, ArgsType, Authorized, Ctx, Field, FieldResolver, Int, Resolver, Root } from 'type-graphql';

import { headOf } from '#platform/cut-text.js';
import { badArgument } from '#platform/errors.js';
import type { SubgraphContext } from '#platform/subgraph/build.js';

import { Instance } from '../instance/instance.entity.js';
import type { InstanceService } from '../instance/instance.service.js';
import { CommandInvocation, LateResult } from './invocation.entity.js';
import { maxOutput } from './result.rules.js';
import { ResultsLoader, type ListedResult } from './results.loader.js';

@ArgsType()
class OutputArgs {
  @Field(() => Int, {
    nullable: true,
    description: 'Only so many characters from its beginning, 1 to 65536; all unless told.',
  })
  maxLength?: number | null;
}

@Resolver(() => CommandInvocation)
export class InvocationResolver {
  constructor(private readonly instances: InstanceService) {}

  @Authorized('fleet.instance.read')
  @FieldResolver(() => Instance, {
    nullable: true,
    description:
      'The instance; null once it has left the fleet, and, with an error, without the right to see instances.',
  })
  async instance(
    @Root() { instanceId }: CommandInvocation,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Instance | null> {
    return this.instances.find(operation, instanceId);
  }

  @FieldResolver(() => String, {
    nullable: true,
    description: 'What the node printed, at most 65536 characters; null until it told.',
  })
  async output(
    @Root() result: ListedResult,
    @Args(() => OutputArgs) { maxLength }: OutputArgs,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<string | null> {
    if (maxLength != null && (maxLength < 1 || maxLength > maxOutput)) {
      throw badArgument('maxLength', `must be from 1 to ${maxOutput}`);
    }
    const { output } = result;
    if (output !== undefined) return output && headOf(output, maxLength ?? maxOutput);
    return (await ResultsLoader.of(operation).printed(result, maxLength ?? null)).output;
  }

  @FieldResolver(() => LateResult, {
    nullable: true,
    description: 'What the node reported after it had ended otherwise; null when nothing was.',
  })
  async lateResult(
    @Root() result: ListedResult,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<LateResult | null> {
    const late =
      result.lateResult === undefined
        ? (await ResultsLoader.of(operation).printed(result, 1)).lateResult
        : result.lateResult;
    return (
      late && {
        ...late,
        outputTruncated: late.outputTruncated ?? false,
        reportedAt: new Date(late.reportedAt),
      }
    );
  }
}
