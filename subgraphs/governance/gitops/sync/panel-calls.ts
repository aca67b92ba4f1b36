import { parse } from 'graphql';

import type { ServiceClient } from '#platform/auth/service-client.js';
import { headOf } from '#platform/cut-text.js';
import { invalid } from '#platform/errors.js';

import type { Scope } from '../../policy/scope.js';
import { overridesIn } from '../manifest/overrides.js';
import type { Declared, Resource } from '../manifest/resource.js';
import type { Actual } from './plan.js';

/** Half of it is for the command to be taken up: a maintenance window comes once a day. */
const longestDeadlineSeconds = 172_800;

/** What governance may ask of the panel for repositories, and no more; whoever sets one up by a key needs all of it. */
export const gitOpsPermissionsNeeded = [
  'governance.policy.manage',
  'governance.canary.manage',
  'fleet.command.send',
  'fleet.instance.read',
  'fleet.group.read',
  'fleet.group.manage',
  'fleet.alert.read',
  'fleet.alert-rule.update',
] as const;

const readDocument = parse(/* GraphQL */ `
  query ReadForGitOps($after: String) {
    alertRules {
      kind
      isEnabled
      severity
      threshold
      forSeconds
      keepFiringForSeconds
      overrides {
        groupId
        priority
        isEnabled
        severity
        threshold
        forSeconds
        keepFiringForSeconds
      }
    }
    instanceGroups(first: 200, after: $after) {
      nodes {
        id
        name
        kind
        filter {
          tags
          status
          q
        }
      }
    }
  }
`);

const membersDocument = parse(/* GraphQL */ `
  query ReadGroupForGitOps($id: ID!, $after: String) {
    instanceGroup(id: $id) {
      instances(first: 500, after: $after) {
        nodes {
          id
        }
        pageInfo {
          endCursor
          hasNextPage
        }
      }
    }
  }
`);

const createPolicy = parse(/* GraphQL */ `
  mutation CreatePolicyByGitOps($input: CreatePolicyInput!) {
    createPolicy(input: $input) {
      id
    }
  }
`);
const updatePolicy = parse(/* GraphQL */ `
  mutation UpdatePolicyByGitOps($id: ID!, $input: UpdatePolicyInput!) {
    updatePolicy(id: $id, input: $input) {
      id
    }
  }
`);
const deletePolicy = parse(/* GraphQL */ `
  mutation DeletePolicyByGitOps($id: ID!) {
    deletePolicy(id: $id) {
      id
    }
  }
`);
const createGroup = parse(/* GraphQL */ `
  mutation CreateGroupByGitOps($input: CreateInstanceGroupInput!) {
    createInstanceGroup(input: $input) {
      id
    }
  }
`);
const updateGroup = parse(/* GraphQL */ `
  mutation UpdateGroupByGitOps($input: UpdateInstanceGroupInput!) {
    updateInstanceGroup(input: $input) {
      id
    }
  }
`);
const deleteGroup = parse(/* GraphQL */ `
  mutation DeleteGroupByGitOps($id: ID!) {
    deleteInstanceGroup(id: $id) {
      id
    }
  }
`);
const updateRule = parse(/* GraphQL */ `
  mutation UpdateAlertRuleByGitOps($input: UpdateAlertRuleInput!) {
    updateAlertRule(input: $input) {
      kind
    }
  }
`);
const resetRule = parse(/* GraphQL */ `
  mutation ResetAlertRuleByGitOps($kind: AlertRuleKind!) {
    resetAlertRule(kind: $kind) {
      kind
    }
  }
`);
const replaceOverrides = parse(/* GraphQL */ `
  mutation ReplaceAlertRuleOverridesByGitOps($input: ReplaceAlertRuleOverridesInput!) {
    replaceAlertRuleOverrides(input: $input) {
      kind
    }
  }
`);
const createCanary = parse(/* GraphQL */ `
  mutation CreateCanaryByGitOps($input: CreateCanaryInput!) {
    createCanary(input: $input) {
      id
    }
  }
`);

/** For whom, and because of what. */
export interface Asker {
  tenantId: string;
  causedBy: string;
}

interface RuleRow extends Record<string, unknown> {
  kind: string;
  overrides: ({ groupId: string } & Record<string, unknown>)[];
}

interface GroupRow {
  id: string;
  name: string;
  kind: 'STATIC' | 'LIVE';
  filter: Record<string, unknown> | null;
}

/** What the panel has and does for repositories, each through the gateway, as anybody else would. */
export class PanelCalls {
  constructor(private readonly panel: ServiceClient) {}

  /** Groups, alert rules and their overrides. Who is in a static group is asked only of those that are `declared`. */
  async read(asker: Asker, declared: readonly Declared[]): Promise<Actual[]> {
    const { alertRules, instanceGroups } = await this.panel.call<{
      alertRules: RuleRow[];
      instanceGroups: { nodes: GroupRow[] };
    }>({ ...asker, document: readDocument, variables: {} });
    const listed = new Set(
      declared
        .filter(({ kind, spec }) => kind === 'InstanceGroup' && spec['kind'] === 'STATIC')
        .map(({ name }) => name.toLowerCase()),
    );
    const groups: Actual[] = [];
    for (const { id, name, kind, filter } of instanceGroups.nodes) {
      const isListed = kind === 'STATIC' && listed.has(name.toLowerCase());
      const members = isListed ? { instanceIds: await this.members(asker, id) } : {};
      groups.push({ kind: 'InstanceGroup', id, name, spec: { kind, filter, ...members } });
    }
    const nameOf = new Map(groups.map(({ id, name }) => [id, name.toLowerCase()]));
    return [
      ...groups,
      ...alertRules.flatMap(({ kind, overrides, ...spec }): Actual[] => [
        { kind: 'AlertRule', id: kind, name: kind, spec },
        {
          kind: 'AlertRuleOverrides',
          id: kind,
          name: kind,
          spec: {
            overrides: overrides.map(({ groupId, ...one }) => ({
              group: nameOf.get(groupId) ?? groupId,
              ...one,
            })),
          },
        },
      ]),
    ];
  }

  async makePolicy(asker: Asker, id: string | undefined, { name, spec }: Resource): Promise<void> {
    const input = { name, ...spec };
    await this.panel.call(
      id === undefined
        ? { ...asker, document: createPolicy, variables: { input } }
        : { ...asker, document: updatePolicy, variables: { id, input } },
    );
  }

  /** Answers the group. */
  async makeGroup(asker: Asker, actual: Actual | undefined, { name, spec }: Resource): Promise<string> {
    if (!actual) {
      const variables = { input: { name, ...spec } };
      const made = await this.panel.call<{ createInstanceGroup: { id: string } }>({
        ...asker,
        document: createGroup,
        variables,
      });
      return made.createInstanceGroup.id;
    }
    const { kind: _, ...changed } = spec;
    await this.panel.call({
      ...asker,
      document: updateGroup,
      variables: { input: { id: actual.id, name, ...changed } },
    });
    return actual.id;
  }

  async setRule(asker: Asker, { name, spec }: Resource): Promise<void> {
    await this.panel.call({ ...asker, document: updateRule, variables: { input: { kind: name, ...spec } } });
  }

  /** All of a rule at once; VALIDATION_FAILED for a group that there is not. */
  async setOverrides(
    asker: Asker,
    one: Resource,
    groupIdOf: (name: string) => string | undefined,
  ): Promise<void> {
    const overrides = overridesIn(one).map(({ group, ...settings }, at) => {
      const groupId = groupIdOf(group);
      if (groupId === undefined) throw invalid(`input.overrides.${at}.groupId`, `There is no group ${group}`);
      return { groupId, ...settings };
    });
    const variables = { input: { kind: one.name, overrides } };
    await this.panel.call({ ...asker, document: replaceOverrides, variables });
  }

  /** Answers the canary that brings the version to its instances. Asked again for the same commit, it is the same one. */
  async bringVersion(asker: Asker, { name, spec }: Resource, appliesTo: Scope, key: string): Promise<string> {
    const { version, steps, progressDeadlineSeconds = longestDeadlineSeconds } = spec;
    const input = {
      name: headOf(`${name}: ${String(version)}`, 200),
      command: 'UPDATE',
      params: { version },
      steps,
      progressDeadlineSeconds,
      appliesTo,
    };
    const made = await this.panel.call<{ createCanary: { id: string } }>({
      ...asker,
      document: createCanary,
      variables: { input },
      idempotencyKey: key,
    });
    return made.createCanary.id;
  }

  async remove(asker: Asker, { kind, id }: Pick<Actual, 'kind' | 'id'>): Promise<void> {
    const call = {
      Policy: { document: deletePolicy, variables: { id } },
      InstanceGroup: { document: deleteGroup, variables: { id } },
      AlertRule: { document: resetRule, variables: { kind: id } },
      AlertRuleOverrides: { document: replaceOverrides, variables: { input: { kind: id, overrides: [] } } },
      DesiredVersion: undefined,
    }[kind];
    if (call) await this.panel.call({ ...asker, ...call });
  }

  private async members(asker: Asker, id: string): Promise<string[]> {
    const ids: string[] = [];
    let after: string | null = null;
    do {
      const page: Members = await this.panel.call({
        ...asker,
        document: membersDocument,
        variables: { id, after },
      });
      const { nodes, pageInfo } = page.instanceGroup.instances;
      ids.push(...nodes.map((node) => node.id));
      after = pageInfo.hasNextPage ? pageInfo.endCursor : null;
    } while (after !== null && ids.length < 1_000);
    return ids.toSorted();
  }
}

interface Members {
  instanceGroup: {
    instances: { nodes: { id: string }[]; pageInfo: { endCursor: string; hasNextPage: boolean } };
  };
}
