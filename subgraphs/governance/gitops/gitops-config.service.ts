import { LockMode, UniqueConstraintViolationException } from '@mikro-orm/core';
import DataLoader from 'dataloader';

import type { Entitlements } from '#platform/entitlement/entitlements.js';
import { ApiError, invalid, notFound } from '#platform/errors.js';
import { grantOf, requireGrant } from '#platform/grant/grants.js';
import { newId } from '#platform/ids.js';
import { OutboundError } from '#platform/outbound/errors.js';
import type { TargetGuard } from '#platform/outbound/guard.js';
import type { DeliveredEvent } from '#platform/outbox/event.js';
import { requireRoom, type Room } from '#platform/room.js';
import type { Keyring } from '#platform/secrets/keyring.js';
import type { Operation, Write } from '#platform/subgraph/operation.js';
import { pageWindow, toPage, type Page, type PageArgs } from '#platform/subgraph/paging.js';
import { validate } from '#platform/validation.js';
import { viewerId } from '#platform/viewer.js';

import { parseAddress, type GitAddress } from './git/address.js';
import type { GitOpsCommit, GitOpsCommitsArgs } from './gitops-commit.entity.js';
import {
  GitOpsConfig,
  GitOpsCredentialKind,
  GitOpsHealth,
  GitOpsSyncStatus,
  type RemovedGitOpsConfig,
} from './gitops-config.entity.js';
import {
  createGitOpsConfigRules,
  updateGitOpsConfigRules,
  type CreateGitOpsConfigInput,
  type SyncGitOpsConfigInput,
  type UpdateGitOpsConfigInput,
} from './gitops-config.inputs.js';
import { credentialOf, requireFitting, type Credential } from './gitops-credential.js';
import { changed, removed } from './gitops.events.js';
import { loadCommits, loadConfigs } from './gitops.loader.js';
import { isOnlyPaused, requireMayDeclare } from './may-declare.js';
import { claimMs, lookKind } from './sync/kinds.js';

const room: Room = { lock: 'governance.gitops', limit: 20, of: 'repositories', reason: 'GITOPS_LIMIT' };
const mostCommits = 100;

/** The repositories of tenants. Credentials are kept sealed, bound to the repository's id. */
export class GitOpsConfigService {
  constructor(
    private readonly entitlements: Entitlements,
    private readonly guard: TargetGuard,
    private readonly keyring: Keyring,
  ) {}

  async get(operation: Operation, id: string): Promise<GitOpsConfig> {
    const config = await operation.em.findOne(GitOpsConfig, { tenantId: operation.tenantId, id });
    if (!config) throw notFound('Repository');
    return config;
  }

  /** For references, many in one statement. */
  async find(operation: Operation, id: string): Promise<GitOpsConfig | null> {
    const loader = operation.once(
      GitOpsConfig,
      () => new DataLoader((ids: readonly string[]) => loadConfigs(operation, ids)),
    );
    return loader.load(id);
  }

  /** One that is there no more, of which its event is all that is left: it is read as rows are, by the tenant's own rights. */
  async removedBy(
    { em, tenantId }: Operation,
    { position, entityId }: DeliveredEvent,
  ): Promise<RemovedGitOpsConfig> {
    const [event] = await em.execute<{ name: string }[]>(
      `select payload->>'name' as name from governance.outbox where tenant_id = ? and xid = ?::xid8 and id = ?`,
      [tenantId, position.xid, position.id],
    );
    if (!event) throw notFound('Repository');
    return { id: entityId, name: event.name };
  }

  async page(operation: Operation, args: PageArgs): Promise<Page<GitOpsConfig>> {
    const window = pageWindow(args);
    const { tenantId } = operation;
    const rows = await operation.em.find(
      GitOpsConfig,
      { tenantId, ...(window.after === undefined ? {} : { id: { $gt: window.after } }) },
      { orderBy: { id: 'asc' }, limit: window.size + 1 },
    );
    return toPage(rows, window, () => operation.em.count(GitOpsConfig, { tenantId }));
  }

  /** Newest first. */
  async commits(
    operation: Operation,
    configId: string,
    { first, after = null }: GitOpsCommitsArgs,
  ): Promise<GitOpsCommit[]> {
    if (first < 1 || first > mostCommits) throw invalid('first', `It is 1 to ${mostCommits}`);
    const loader = operation.once(
      `gitops commits ${first} ${after}`,
      () => new DataLoader((ids: readonly string[]) => loadCommits(operation, ids, { first, after })),
    );
    return loader.load(configId);
  }

  /** It is looked at at once, by a job. */
  async create(operation: Operation, input: CreateGitOpsConfigInput): Promise<GitOpsConfig> {
    requireMayDeclare(operation);
    const rules = validate(createGitOpsConfigRules, input);
    await this.entitlements.requireFeature(operation, 'governance');
    const address = await this.address(rules.repoUrl);
    requireFitting(address, rules.credential);
    const { tenantId, clock } = operation;
    const id = newId('gitOpsConfig');
    const now = clock.now();
    return named(() =>
      operation.write(async (write) => {
        await requireGrant(write.em, 'governance', operation.requireViewer());
        await requireRoom(write.em, room, tenantId, () => write.em.count(GitOpsConfig, { tenantId }));
        const config = write.em.create(GitOpsConfig, {
          tenantId,
          id,
          name: rules.name,
          repoUrl: address.url,
          branch: rules.branch ?? 'main',
          path: rules.path ?? '',
          autoSync: rules.autoSync ?? false,
          selfHeal: rules.selfHeal ?? false,
          prune: rules.prune ?? false,
          isPaused: false,
          pausedReason: null,
          ...grantOf(operation.requireViewer()),
          syncIntervalSeconds: rules.syncIntervalSeconds ?? 120,
          ...this.sealed(id, {
            credential: rules.credential ?? null,
            webhookSecret: rules.webhookSecret ?? null,
          }),
          syncStatus: GitOpsSyncStatus.UNKNOWN,
          health: GitOpsHealth.UNKNOWN,
          lastSeenCommit: null,
          declaredCommit: null,
          declared: [],
          lastSyncedCommit: null,
          lastSyncedAt: null,
          lastCheckedAt: null,
          changes: [],
          problems: [],
          isRewritten: false,
          appliedCommit: null,
          refusals: {},
          lookingBy: null,
          lookingUntil: null,
          isHostSilent: null,
          requests: 0,
          wantedSync: null,
          nextCheckAt: null,
          createdBy: viewerId(operation.requireViewer()),
          createdAt: now,
          updatedAt: now,
        });
        write.audit({ target: id, changes: settingsOf(config) });
        lookNow(write, config, now);
        return config;
      }),
    );
  }

  /** What is left out stays. It is looked at at once. */
  async update(operation: Operation, id: string, input: UpdateGitOpsConfigInput): Promise<GitOpsConfig> {
    if (!isOnlyPaused(input)) requireMayDeclare(operation);
    const rules = validate(updateGitOpsConfigRules, input);
    const address = rules.repoUrl == null ? undefined : await this.address(rules.repoUrl);
    return named(() =>
      this.change(operation, id, (config, now) => {
        const isElsewhere = address !== undefined && address.url !== config.repoUrl;
        // Whoever may set the address must not have the secret sent wherever they like.
        if (isElsewhere && config.sealedCredential !== null && rules.credential === undefined)
          throw invalid(
            'input.credential',
            'Another address needs a credential of its own, or null for none',
          );
        if (rules.credential)
          requireFitting(address ?? parseAddress(this.guard, config.repoUrl), rules.credential);
        const isOther =
          isElsewhere ||
          (rules.branch != null && rules.branch !== config.branch) ||
          (rules.path != null && rules.path !== config.path);
        // What was held back by them, or waited for somebody, is to be done now.
        const isMore = (rules.prune && !config.prune) || (rules.autoSync && !config.autoSync);
        const viewer = operation.requireViewer();
        const isReaddressed =
          viewer.kind === 'delegate' ? isOther || rules.credential !== undefined : isElsewhere;
        const isTakenUp = config.grantId !== null && config.isPaused && rules.isPaused === false;
        Object.assign(config, {
          ...(isReaddressed || isTakenUp ? grantOf(viewer) : {}),
          name: rules.name ?? config.name,
          repoUrl: address?.url ?? config.repoUrl,
          ...(isElsewhere ? { isHostSilent: null } : {}),
          branch: rules.branch ?? config.branch,
          path: rules.path ?? config.path,
          autoSync: rules.autoSync ?? config.autoSync,
          selfHeal: rules.selfHeal ?? config.selfHeal,
          prune: rules.prune ?? config.prune,
          isPaused: rules.isPaused ?? config.isPaused,
          syncIntervalSeconds: rules.syncIntervalSeconds ?? config.syncIntervalSeconds,
          ...this.sealed(id, rules),
          // Read anew, and from elsewhere: what is not declared there was perhaps never meant to go.
          ...(isOther ? { lastSeenCommit: null, appliedCommit: null, isRewritten: true } : {}),
          ...(isMore ? { appliedCommit: null } : {}),
          refusals: {},
          updatedAt: now,
        });
        if (config.selfHeal && !config.autoSync) throw invalid('input.selfHeal', 'Self-heal needs autoSync');
        if (!config.isPaused) config.pausedReason = null;
        if (config.isPaused) config.health = GitOpsHealth.SUSPENDED;
        else if (config.health === GitOpsHealth.SUSPENDED) config.health = GitOpsHealth.UNKNOWN;
      }),
    );
  }

  /** What it declared stays as it is, and is nobody's from now on. */
  async remove(operation: Operation, id: string): Promise<GitOpsConfig> {
    const { tenantId } = operation;
    return operation.write(async ({ em, audit, publish }) => {
      const config = await locked(em, tenantId, id);
      audit({ target: id, changes: { name: config.name, deleted: true } });
      em.remove(config);
      removed(publish, config);
      return config;
    });
  }

  async refresh(operation: Operation, id: string): Promise<GitOpsConfig> {
    return this.change(operation, id, requireGoing);
  }

  async sync(operation: Operation, { id, prune }: SyncGitOpsConfigInput): Promise<GitOpsConfig> {
    requireMayDeclare(operation);
    return this.change(operation, id, (config) => {
      requireGoing(config);
      config.wantedSync = {
        prune: prune ?? false,
        by: viewerId(operation.requireViewer()),
        request: config.requests + 1,
      };
      config.refusals = {};
    });
  }

  private async change(
    operation: Operation,
    id: string,
    make: (config: GitOpsConfig, now: Date) => void,
  ): Promise<GitOpsConfig> {
    const { tenantId, clock } = operation;
    return operation.write(async (write) => {
      await requireGrant(write.em, 'governance', operation.requireViewer());
      const config = await locked(write.em, tenantId, id);
      make(config, clock.now());
      const { wantedSync } = config;
      write.audit({
        target: id,
        changes: { ...settingsOf(config), ...(wantedSync ? { prunesNow: wantedSync.prune } : {}) },
      });
      lookNow(write, config, clock.now());
      return config;
    });
  }

  private async address(text: string): Promise<GitAddress> {
    try {
      const address = parseAddress(this.guard, text);
      await this.guard.addressesOf(address.host);
      return address;
    } catch (error) {
      if (error instanceof OutboundError) throw invalid('input.repoUrl', error.message);
      throw error;
    }
  }

  private sealed(
    id: string,
    {
      credential,
      webhookSecret,
    }: { credential?: Credential | null | undefined; webhookSecret?: string | null | undefined },
  ): Pick<GitOpsConfig, 'credentialKind' | 'sealedCredential' | 'sealedWebhookSecret'> {
    const given = credential ? credentialOf(credential) : null;
    return {
      ...(credential === undefined
        ? {}
        : {
            credentialKind: given && GitOpsCredentialKind[given.kind],
            sealedCredential: given && this.keyring.seal(JSON.stringify(given), id),
          }),
      ...(webhookSecret === undefined
        ? {}
        : { sealedWebhookSecret: webhookSecret && this.keyring.seal(webhookSecret, id) }),
    } as Pick<GitOpsConfig, 'credentialKind' | 'sealedCredential' | 'sealedWebhookSecret'>;
  }
}

function requireGoing({ isPaused }: GitOpsConfig): void {
  if (isPaused) throw new ApiError('CONFLICT', 'The repository is paused', { reason: 'GITOPS_PAUSED' });
}

/** Has it looked at, whatever look is under way. */
function lookNow(write: Pick<Write, 'enqueue' | 'publish'>, config: GitOpsConfig, now: Date): void {
  config.requests += 1;
  config.nextCheckAt = config.isPaused ? null : new Date(now.getTime() + claimMs);
  if (!config.isPaused) write.enqueue(lookKind, { tenantId: config.tenantId, configId: config.id });
  changed(write.publish, config);
}

async function locked(em: Write['em'], tenantId: string, id: string): Promise<GitOpsConfig> {
  const config = await em.findOne(GitOpsConfig, { tenantId, id }, { lockMode: LockMode.PESSIMISTIC_WRITE });
  if (!config) throw notFound('Repository');
  return config;
}

/** For the audit trail: all that is no secret. */
function settingsOf(config: GitOpsConfig): Record<string, unknown> {
  const { name, repoUrl, branch, path, autoSync, selfHeal, prune, isPaused, credentialKind } = config;
  return { name, repoUrl, branch, path, autoSync, selfHeal, prune, isPaused, credentialKind };
}

async function named<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof UniqueConstraintViolationException)) throw error;
    throw new ApiError('CONFLICT', 'There is a repository of this name already', { reason: 'NAME_TAKEN' });
  }
}
