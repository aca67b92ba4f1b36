import { gitOpsPermissionsNeeded } from '#subgraphs/governance/gitops/sync/panel-calls.js';

/**
 * Everyone who may come: users in each role of the tenant, a viewer with the platform administrator's flag, a node, one
 * of the panel's own services that holds the operation's permission, one that holds every other permission, the holder
 * of an OAuth access token (which is good for `userInfo` only), and somebody without a token.
 */
export const callers = [
  'owner',
  'admin',
  'operator',
  'billing',
  'viewer',
  'administrator',
  'node',
  'service',
  'other service',
  'oauth',
  'anonymous',
] as const;
export type Caller = (typeof callers)[number];

/** Who may call one operation. */
export interface Access {
  /** What a service has to hold; absent where no permission decides. */
  permission?: string;
  callers: readonly Caller[];
  /** The code of a refusal, where it is the same for everybody. */
  refusal?: 'UNAUTHENTICATED';
  /** A secret in the arguments decides: the reason with which a wrong one is refused. */
  wrongSecret?: string;
  /** What someone who names another tenant's things is answered, where it is not NOT_FOUND: a code or its reason. */
  foreign?: string;
  /** Who may do it to any tenant, by naming it: nobody but the platform's own. */
  acrossTenants?: readonly Caller[];
  /** It tells of the whole panel: nothing in it is a tenant's, and its events are none's. */
  ofPanel?: true;
  /** It asks a cluster, of which there is none behind the row: the reason with which whoever is let in is answered then. */
  outside?: 'CLUSTER_AWAY';
  /** The service writes as the jobs role: row-level security does not stand behind it (see decision 4). */
  asJobs?: true;
}

/** A `#word` after the name is another way to call the same operation; see `variants` in arguments.ts. */
export type Matrix = Readonly<Record<string, Access>>;

export const users = ['owner', 'admin', 'operator', 'billing', 'viewer', 'administrator'] as const;
export const readers = [...users, 'service'] as const;
export const managers = ['owner', 'admin'] as const;
export const payers = ['owner', 'admin', 'billing', 'service'] as const;
export const operators = ['owner', 'admin', 'operator', 'service'] as const;

/** What a token with a list has to have besides: governance does it later, by its own hand. */
export const alongside: Readonly<Record<string, readonly string[]>> = {
  'governance.canary.manage': ['fleet.command.send'],
  'governance.remediation.run': ['fleet.command.send'],
  'governance.gitops.manage': gitOpsPermissionsNeeded,
};

export const may = (permission: string, who: readonly Caller[], more: Partial<Access> = {}): Access => ({
  permission,
  callers: who,
  ...more,
});
export const everyone: Access = { callers };
export const withSecret = (wrongSecret: string): Access => ({ callers, wrongSecret });
