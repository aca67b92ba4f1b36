import {
  Arg,
  Args,
  ArgsType,
  Authorized,
  Ctx,
  Field,
  FieldResolver,
  ID,
  Mutation,
  Query,
  Resolver,
  Root,
  Subscription,
} from 'type-graphql';

import type { StreamedEvent } from '#platform/outbox/event-stream.js';
import type { SubgraphContext } from '#platform/subgraph/build.js';
import { PageArgs, type Page } from '#platform/subgraph/paging.js';
import { eventSource } from '#platform/subgraph/subscription.js';

import { GitOpsCommit, GitOpsCommitsArgs } from './gitops-commit.entity.js';
import { GitOpsConfig, GitOpsConfigPage, RemovedGitOpsConfig } from './gitops-config.entity.js';
import {
  CreateGitOpsConfigInput,
  SyncGitOpsConfigInput,
  UpdateGitOpsConfigInput,
} from './gitops-config.inputs.js';
import type { GitOpsConfigService } from './gitops-config.service.js';

@ArgsType()
class GitOpsConfigChangedArgs {
  @Field(() => ID, { nullable: true, description: 'Only this repository.' })
  configId?: string | null;
}

const refusals =
  'VALIDATION_FAILED, CONFLICT (NAME_TAKEN). It is not asked whether the repository can be read: the first look tells, ' +
  'in `problems`.';

@Resolver(() => GitOpsConfig)
export class GitOpsConfigResolver {
  constructor(private readonly service: GitOpsConfigService) {}

  @Authorized('governance.gitops.read')
  @Query(() => GitOpsConfigPage, {
    description: "The tenant's repositories, in the order in which they were made.",
  })
  async gitOpsConfigs(
    @Args(() => PageArgs) args: PageArgs,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Page<GitOpsConfig>> {
    return this.service.page(operation, args);
  }

  @Authorized('governance.gitops.read')
  @Query(() => GitOpsConfig, { description: 'One repository. NOT_FOUND.' })
  async gitOpsConfig(
    @Arg('id', () => ID, { description: 'The repository.' }) id: string,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<GitOpsConfig> {
    return this.service.get(operation, id);
  }

  @Authorized('governance.gitops.manage')
  @Mutation(() => GitOpsConfig, {
    description: `Has a repository declare what the tenant has, at most 20. A key has to list what is put into force so, and fleet.command.send: FORBIDDEN (PERMISSION_MISSING). PLAN_REQUIRED, LIMIT_REACHED (GITOPS_LIMIT), ${refusals}`,
  })
  async createGitOpsConfig(
    @Arg('input', () => CreateGitOpsConfigInput, { description: 'The repository.' })
    input: CreateGitOpsConfigInput,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<GitOpsConfig> {
    return this.service.create(operation, input);
  }

  @Authorized('governance.gitops.manage')
  @Mutation(() => GitOpsConfig, {
    description: `Changes a repository, and has it looked at. All but pausing it needs what createGitOpsConfig needs: FORBIDDEN (PERMISSION_MISSING). NOT_FOUND, ${refusals}`,
  })
  async updateGitOpsConfig(
    @Arg('id', () => ID, { description: 'The repository.' }) id: string,
    @Arg('input', () => UpdateGitOpsConfigInput, { description: 'What changes.' })
    input: UpdateGitOpsConfigInput,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<GitOpsConfig> {
    return this.service.update(operation, id, input);
  }

  @Authorized('governance.gitops.manage')
  @Mutation(() => GitOpsConfig, {
    description: 'Forgets a repository and its history. What it declared stays as it is. NOT_FOUND.',
  })
  async deleteGitOpsConfig(
    @Arg('id', () => ID, { description: 'The repository.' }) id: string,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<GitOpsConfig> {
    return this.service.remove(operation, id);
  }

  @Authorized('governance.gitops.manage')
  @Mutation(() => GitOpsConfig, {
    description: 'Has a repository looked at now, by a job. NOT_FOUND, CONFLICT (GITOPS_PAUSED).',
  })
  async refreshGitOpsConfig(
    @Arg('id', () => ID, { description: 'The repository.' }) id: string,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<GitOpsConfig> {
    return this.service.refresh(operation, id);
  }

  @Authorized('governance.gitops.manage')
  @Mutation(() => GitOpsConfig, {
    description:
      'Puts what the newest commit declares into force now, by a job, whatever `autoSync` and `selfHeal` say. NOT_FOUND, ' +
      'CONFLICT (GITOPS_PAUSED), FORBIDDEN (PERMISSION_MISSING) for a key that does not list what is put into force so.',
  })
  async syncGitOpsConfig(
    @Arg('input', () => SyncGitOpsConfigInput, { description: 'The repository, and how.' })
    input: SyncGitOpsConfigInput,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<GitOpsConfig> {
    return this.service.sync(operation, input);
  }

  @Authorized('governance.gitops.read')
  @Subscription(() => GitOpsConfig, {
    subscribe: eventSource<GitOpsConfigChangedArgs>('governance.gitops.read', ({ configId }) => ({
      topics: ['governance.gitops.changed'],
      matches: ({ entityId }) => configId == null || entityId === configId,
    })),
    description:
      'Something of a repository is another; it is given as it is now. That one is removed `gitOpsConfigRemoved` tells. ' +
      '`extensions.cursor` of an event, given back as `extensions.after` within 24 hours, resumes after it.',
  })
  async gitOpsConfigChanged(
    @Args(() => GitOpsConfigChangedArgs) _args: GitOpsConfigChangedArgs,
    @Root() { payload }: StreamedEvent,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<GitOpsConfig> {
    return this.service.get(operation, payload.entityId);
  }

  @Authorized('governance.gitops.read')
  @Subscription(() => RemovedGitOpsConfig, {
    subscribe: eventSource('governance.gitops.read', () => ({ topics: ['governance.gitops.removed'] })),
    description: 'A repository was removed. Resumes as `gitOpsConfigChanged` does.',
  })
  async gitOpsConfigRemoved(
    @Root() { payload }: StreamedEvent,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<RemovedGitOpsConfig> {
    return this.service.removedBy(operation, payload);
  }

  @FieldResolver(() => String, {
    nullable: true,
    description: 'The first of `problems` in one line, as `file:line: what`; null where there is none.',
  })
  lastError(@Root() { problems: [first] }: GitOpsConfig): string | null {
    if (!first) return null;
    const place = first.file == null ? '' : `${first.file}${first.line == null ? '' : `:${first.line}`}: `;
    return `${place}${first.message}`;
  }

  @FieldResolver(() => Boolean, {
    description: 'Whether webhooks are taken: there is a secret that they are signed with.',
  })
  takesWebhooks(@Root() { sealedWebhookSecret }: GitOpsConfig): boolean {
    return sealedWebhookSecret !== null;
  }

  @Authorized('governance.gitops.read')
  @FieldResolver(() => [GitOpsCommit], {
    description: 'The commits that came, newest first; the last 200 are kept.',
  })
  async commits(
    @Args(() => GitOpsCommitsArgs) args: GitOpsCommitsArgs,
    @Root() { id }: GitOpsConfig,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<GitOpsCommit[]> {
    return this.service.commits(operation, id, args);
  }
}
