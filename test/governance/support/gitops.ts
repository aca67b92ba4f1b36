import { dataOf } from '../../support/answers.js';
import { GitServer } from '../../support/git-server.js';
import { startTestPanel, type TestPanel } from '../../support/panel.js';
import { until, type Tenant } from '../../support/world.js';
import { useScene } from './tenant.js';

/** The panel of the file that runs, and the repository of the test. */
export let panel: TestPanel;
export let git: GitServer;

export async function start(settings: Record<string, string> = {}): Promise<void> {
  panel = await startTestPanel({ ALLOW_PRIVATE_TARGETS: '127.0.0.1', ...settings });
  useScene(panel);
}

export async function newRepository(): Promise<void> {
  git = await GitServer.start();
}

export async function forgetRepository(): Promise<void> {
  await git[Symbol.asyncDispose]();
}

export const policy = (name: string, more = '') => `apiVersion: v1
kind: Policy
metadata:
  name: ${name}
spec:
  rule: {condition: backup.encryption, operator: equals, value: true}
${more}
`;
export const group = `apiVersion: v1
kind: InstanceGroup
metadata: {name: Web servers}
spec:
  filter: {tags: [web]}
`;
export const alertRule = `apiVersion: v1
kind: AlertRule
metadata: {name: cpu}
spec: {threshold: 42, severity: warning}
`;

export interface Config {
  id: string;
  syncStatus: string;
  health: string;
  lastSeenCommit: string | null;
  lastSyncedCommit: string | null;
  lastError: string | null;
  problems: { file: string | null; line: number | null; message: string }[];
  changes: { action: string; kind: string; name: string; heldBack: string | null; differences: unknown[] }[];
  commits: { sha: string; author: string; subject: string; outcome: string; changed: number }[];
}

export const fields = `id syncStatus health lastSeenCommit lastSyncedCommit lastError problems { file line message }
  changes { action kind name heldBack differences { field actual declared } }
  commits { sha author subject outcome changed }`;

export async function paying(): Promise<Tenant> {
  return (await panel.world.tenant()).grantPlan('PRO');
}

export async function connected(tenant: Tenant, more: Record<string, unknown> = {}): Promise<string> {
  const answer = await tenant.graphql<{ createGitOpsConfig: { id: string } }>(
    'mutation ($input: CreateGitOpsConfigInput!) { createGitOpsConfig(input: $input) { id } }',
    { input: { name: 'Fleet', repoUrl: git.url, autoSync: true, ...more } },
  );
  return dataOf(answer).createGitOpsConfig.id;
}

export async function shown(tenant: Tenant, id: string): Promise<Config> {
  const answer = await tenant.graphql<{ gitOpsConfig: Config }>(
    `query ($id: ID!) { gitOpsConfig(id: $id) { ${fields} } }`,
    { id },
  );
  return dataOf(answer).gitOpsConfig;
}

/** Waits until a repository is shown so. It is asked for only when its row has changed: most looks would show the same. */
export async function seen(
  tenant: Tenant,
  id: string,
  isSo: (config: Config) => boolean,
  what: string,
  withinMs = 120_000,
): Promise<Config> {
  let last: Config | undefined;
  let version: string | undefined;
  const isShown = async () => {
    const [row] = await panel.sql<{ version: string }>(
      'select xmin::text as version from governance.gitops_config where id = $1',
      [id],
    );
    if (last && row?.version === version) return false;
    version = row?.version;
    last = await shown(tenant, id);
    return isSo(last);
  };
  await until(isShown, what, withinMs).catch((error: unknown) => {
    throw new Error(`${String(error)}: ${JSON.stringify(last)}`);
  });
  return last!;
}

export const inForce = async (tenant: Tenant, id: string, sha: string) =>
  seen(
    tenant,
    id,
    (config) => config.lastSyncedCommit === sha && config.syncStatus === 'SYNCED',
    'it to be in force',
  );

export async function call(
  tenant: Tenant,
  mutation: string,
  variables: Record<string, unknown>,
): Promise<void> {
  dataOf(await tenant.graphql(mutation, variables));
}
export const refresh = async (tenant: Tenant, id: string) =>
  call(tenant, 'mutation ($id: ID!) { refreshGitOpsConfig(id: $id) { id } }', { id });
export const sync = async (tenant: Tenant, id: string, prune = false) =>
  call(tenant, 'mutation ($input: SyncGitOpsConfigInput!) { syncGitOpsConfig(input: $input) { id } }', {
    input: { id, prune },
  });
export const update = async (tenant: Tenant, id: string, input: Record<string, unknown>) =>
  call(
    tenant,
    'mutation ($id: ID!, $input: UpdateGitOpsConfigInput!) { updateGitOpsConfig(id: $id, input: $input) { id } }',
    { id, input },
  );

export async function policies(tenant: Tenant): Promise<{ id: string; name: string; severity: string }[]> {
  const answer = await tenant.graphql<{
    policies: { nodes: { id: string; name: string; severity: string }[] };
  }>('{ policies { nodes { id name severity } } }');
  return dataOf(answer).policies.nodes;
}
export const names = async (tenant: Tenant) => (await policies(tenant)).map(({ name }) => name);
