import { CredentialService } from '#subgraphs/fleet/enrollment/credential.service.js';

import { panelIssuer, type Stage } from './stage.js';

export interface BenchNode {
  tenantId: string;
  id: string;
}

/** The same ids every time, as long as real ones. */
export function tenantId(index: number): string {
  return `org_${String(index).padStart(26, '0')}`;
}

export function instanceId(index: number): string {
  return `inst_${String(index).padStart(26, '0')}`;
}

/** Instances `from` to `to` (exclusive) of one tenant, beating: 1 in 50 degraded, 1 in 100 offline. */
export async function seedInstances(stage: Stage, tenant: string, from: number, to: number): Promise<void> {
  await stage.sql(
    `insert into fleet.instance (tenant_id, id, name, hostname, version, base_url, redirect_uris, tags, enrolled_at,
       enrollment_token_id, last_seen_at, offline_at, announced_status, reasons, sampled_at, apps_count, cpu_percent,
       memory_percent, disk_percent, cpu_cores, memory_gb, net_rx_bytes, net_tx_bytes, load_average, uptime_seconds, facts)
     select $1, 'inst_' || lpad(n::text, 26, '0'), 'node-' || n, 'node-' || n || '.example.com', '0.2.9',
       'https://node-' || n || '.example.com', '{}', '{}', now(), 'etk_bench', now(),
       now() + case when n % 100 = 1 then interval '0' else interval '1 day' end,
       case when n % 100 = 1 then 'OFFLINE' when n % 50 = 0 then 'DEGRADED' else 'HEALTHY' end,
       case when n % 50 = 0 then '[{"code": "DISK_NEARLY_FULL", "message": "The disk is at 95 % or more", "since": "2026-01-01T00:00:00Z"}]'::jsonb else '[]' end,
       now(), 3, 12.5, 40, 30, 4, 16, 1000000, 500000, 0.5, 86400, '{"os": "Cloud OS", "kernel": "6.12"}'
     from generate_series($2::int, $3::int - 1) n`,
    [tenant, from, to],
  );
}

export async function settle(stage: Stage): Promise<void> {
  await stage.sql('vacuum (analyze) fleet.instance');
  await stage.sql('vacuum (analyze) fleet.alert');
  await stage.sql('analyze fleet.instance_expiry');
  await stage.sql('analyze fleet.instance_count');
  await stage.sql('checkpoint');
}

export async function credentialsOf(stage: Stage, nodes: readonly BenchNode[]): Promise<string[]> {
  const credentials = new CredentialService(stage.keyring, panelIssuer);
  const now = new Date();
  return Promise.all(
    nodes.map((node) =>
      credentials.issue({ instanceId: node.id, tenantId: node.tenantId, generation: 1 }, now),
    ),
  );
}

export interface BenchTenant {
  tenantId: string;
  token: string;
  account: { email: string; password: string };
}

/** A tenant through the API, and its owner's token. */
export async function registerTenant(url: string): Promise<BenchTenant> {
  const account = { email: `${crypto.randomUUID()}@bench.test`, password: 'correct horse battery' };
  const body = await post(`${url}/api/auth/register`, { ...account, name: 'Bench', company: 'Bench' });
  return { tenantId: body.user.tenant.id, token: body.access_token, account };
}

/** As many tokens of its owner as sign-ins, each different, so that no request is like the one before. */
export async function signIns(url: string, { account }: BenchTenant, count: number): Promise<string[]> {
  const tokens: string[] = [];
  while (tokens.length < count) tokens.push((await post(`${url}/api/auth/login`, account)).access_token);
  if (new Set(tokens).size !== count) throw new Error('sign-ins gave the same token twice');
  return tokens;
}

async function post(
  url: string,
  body: unknown,
): Promise<{ access_token: string; user: { tenant: { id: string } } }> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${url}: ${response.status} ${await response.text()}`);
  return (await response.json()) as { access_token: string; user: { tenant: { id: string } } };
}

/** Firing alerts on 1 in 20 of a tenant's instances, and five past ones of each of these. */
export async function seedAlerts(stage: Stage, tenant: string): Promise<void> {
  // Newer than any beat, so that the panel under measurement finds nothing to say about them.
  await stage.sql(
    `insert into fleet.alert (tenant_id, id, instance_id, instance_name, rule, component, severity, status, message, value,
       threshold, count, started_at, fired_at, last_seen_at, updated_at, resolved_at, resolution, observed_to)
     select $1, 'alr_' || lpad((row_number() over ())::text, 26, '0'), i.id, i.name, 'CPU', '', 'WARNING',
       case past when 0 then 'FIRING' else 'RESOLVED' end, 'The CPU is at 97 %', 97, 95, 10,
       now() - past * interval '1 day' - interval '1 hour', now() - past * interval '1 day' - interval '1 hour',
       now() - past * interval '1 day', now() - past * interval '1 day',
       case when past > 0 then now() - past * interval '1 day' end, case when past > 0 then 'CLEARED' end, now() + interval '1 day'
     from fleet.instance i, generate_series(5, 0, -1) past
     where i.tenant_id = $1 and right(i.id, 2)::int % 20 = 7`,
    [tenant],
  );
}

/** A beat's body as the agent sends it; readings differ from beat to beat. */
export function beatBody(sequence: number): string {
  const wobble = sequence % 37;
  return JSON.stringify({
    cpu_percent: 10 + wobble,
    memory_percent: 40 + wobble / 10,
    disk_percent: 30,
    apps_count: 3,
    cpu_cores: 4,
    memory_gb: 16,
    version: '0.2.9',
    net_rx_bytes: 2_000_000 + sequence * 1_000,
    net_tx_bytes: 1_000_000 + sequence * 500,
    load_average: 0.5,
    uptime_seconds: 90_000 + sequence,
    health: [{ component: 'proxy', status: 'healthy' }],
    sequence,
    sent_at: new Date().toISOString(),
  });
}
