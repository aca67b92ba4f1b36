import { Keyring } from '#platform/secrets/keyring.js';

import { dataOf } from '../support/answers.js';
import { testSecretsKey } from '../support/panel.js';
import type { RichScene } from './rich-scene.js';

const serverId = (word: string) => `srv_${word}`;

/** An account with a provider, and a server there: the panel of the suites has no provider to ask. */
export async function hosting(scene: RichScene): Promise<void> {
  const { panel, tenant, word, node } = scene;
  const now = panel.clock.now();
  // So that nobody asks the provider, however far the suites move time.
  const farAhead = new Date(now.getTime() + 365 * 24 * 3_600_000);
  const account = `pac_${word}`;
  const keyring = Keyring.parse(testSecretsKey);
  const place = { region: 'fsn1', isAvailable: true, endsAt: null, priceHourly: 0.006, priceMonthly: 3.79 };
  const catalogue = {
    currency: 'EUR',
    regions: [{ id: 'fsn1', name: `${word} park`, zone: 'eu-central', country: 'DE', city: 'Falkenstein' }],
    sizes: [
      { id: 'cx22', name: 'CX22', vcpus: 2, memoryGb: 4, diskGb: 40, architecture: 'x86', places: [place] },
    ],
  };
  await panel.sql(
    `insert into hosting.provider_account
       (tenant_id, provider, id, sealed_token, connected_at, last_checked_at, catalogue, catalogue_at, reconcile_at)
     values ($1, 'hetzner', $2, $3, $4, $4, $5, $6, $6)`,
    [tenant.id, account, keyring.seal(`${word}-token`, account), now, JSON.stringify(catalogue), farAhead],
  );
  await panel.sql(
    `insert into hosting.server (tenant_id, id, provider, name, region, location, size, ssh_keys, install_cloud_os,
       phase, phase_at, provider_id, create_calls, ip_address, instance_id, price_hourly, price_monthly, currency,
       created_at, created_by, billed_from, ready_at)
     values ($1, $2, 'hetzner', $3, 'eu-central', 'fsn1', 'cx22', '{}', true, 'READY', $4, $5, 1, '198.18.0.1', $6,
       0.006, 3.79, 'EUR', $4, $7, $4, $4)`,
    [tenant.id, serverId(word), `${word}-server`, now, `provider-${word}`, node.id, tenant.user.id],
  );
  // The panel's own, by the id that arguments.ts knows.
  await panel.sql(
    `insert into platform.upgrade (id, version, status, asked_by)
     values ('upg_00000000000000000000000000', '2.0.0', 'succeeded', 'test') on conflict do nothing`,
  );
  await panel.sql(
    `insert into hosting.budget (tenant_id, monthly_limit, currency) values ($1, 1000, 'EUR')`,
    [tenant.id],
  );
  await panel.sql(
    `insert into hosting.idempotency_key (tenant_id, key, fingerprint, response, expires_at)
     values ($1, $2, 'none', $3, $4)`,
    [tenant.id, `hosting-${word}`, { id: serverId(word) }, new Date(now.getTime() + 3_600_000)],
  );
  const cluster = `k8s_${word}`;
  const credential = { server: 'https://198.18.0.2:6443', token: `${word}-token` };
  await panel.sql(
    `insert into hosting.cluster (tenant_id, id, name, provider, region, tags, server_url, identity, sealed_credential,
       kubernetes_version, nodes, nodes_ready, cpu_cores, memory_gb, status, last_seen_at, created_at, created_by,
       watcher, watcher_until)
     values ($1, $2, $3, 'hetzner', 'eu-central', '{web}', $4, $5, $6, '1.35', 3, 3, 12, 24, 'HEALTHY', $7, $7, $8,
       'nobody', $9)`,
    [
      tenant.id,
      cluster,
      `${word}-cluster`,
      credential.server,
      `identity-${word}`,
      keyring.seal(JSON.stringify(credential), cluster),
      now,
      tenant.user.id,
      // So that nobody watches it.
      farAhead,
    ],
  );
  const deployment = `dep_${word}`;
  const desired = { image: 'nginx:1', replicas: 2, env: { SECRET: word }, ports: [80] };
  await panel.sql(
    `insert into hosting.deployment (tenant_id, id, cluster_id, namespace, name, uid, resource_version, is_managed, image,
       replicas, ready_replicas, updated_replicas, available_replicas, status, sealed_desired, created_at)
     values ($1, $2, $3, 'default', $4, $5, '7', true, 'nginx:1', 2, 2, 2, 2, 'RUNNING', $6, $7)`,
    [
      tenant.id,
      deployment,
      cluster,
      `${word}-web`,
      `uid-${word}`,
      keyring.seal(JSON.stringify(desired), deployment),
      now,
    ],
  );
  await panel.sql(
    `insert into hosting.deployment_revision (tenant_id, deployment_id, revision, change_cause, to_revision, image, replicas,
       changed, sealed_desired, created_at, created_by)
     values ($1, $2, 1, 'ROLLBACK', 1, 'nginx:1', 2, $3, $4, $5, $6)`,
    [
      tenant.id,
      deployment,
      [`env.${word}`],
      keyring.seal(JSON.stringify(desired), deployment),
      now,
      tenant.user.id,
    ],
  );
  await panel.sql(
    `insert into governance.cluster (tenant_id, id, version, name, tags, facts) values ($1, $2, 1, $3, '{web}', $4)`,
    [tenant.id, cluster, `${word}-cluster`, { 'cluster.nodes': 3, 'cluster.name': `${word}-cluster` }],
  );
  const rule = { condition: 'cluster.nodes', operator: 'gte', value: 5 };
  dataOf(
    await tenant.graphql('mutation($input: CreatePolicyInput!) { createPolicy(input: $input) { id } }', {
      input: { name: `${word} clusters`, rule },
    }),
  );
  const placement = `plc_${word}`;
  await panel.sql(
    `insert into hosting.placement (tenant_id, id, namespace, name, image, replicas, region, tag, partition_percent,
       most_failures, partition, partitions, status, sealed_desired, created_at, created_by)
     values ($1, $2, 'default', $3, 'nginx:1', 2, 'eu-central', 'web', 25, 0, 1, 1, 'PLACED', $4, $5, $6)`,
    [
      tenant.id,
      placement,
      `${word}-placed`,
      keyring.seal(JSON.stringify(desired), placement),
      now,
      tenant.user.id,
    ],
  );
  await panel.sql(
    `insert into hosting.placement_target (tenant_id, placement_id, cluster_id, deployment_id, partition, status, started_at)
     values ($1, $2, $3, $4, 1, 'DONE', $5)`,
    [tenant.id, placement, cluster, deployment, now],
  );
  await tellServer(scene);
}

/** As a step of the server would. */
export async function tellServer({ panel, tenant, word }: RichScene): Promise<void> {
  await panel.sql(
    `insert into hosting.outbox (event_id, tenant_id, topic, entity_id, entity_version, payload, caused_by, occurred_at)
     values ('evt_' || gen_random_uuid(), $1, 'hosting.server.changed', $2, 2, $3, 'test', now()),
       ('evt_' || gen_random_uuid(), $1, 'hosting.cluster.changed', $4, 2, $5, 'test', now()),
       ('evt_' || gen_random_uuid(), $1, 'hosting.deployment.changed', $6, 2, $7, 'test', now()),
       ('evt_' || gen_random_uuid(), $1, 'hosting.placement.changed', $8, 2, $9, 'test', now())`,
    [
      tenant.id,
      serverId(word),
      { serverId: serverId(word), from: 'ENROLLING', to: 'READY' },
      `k8s_${word}`,
      { clusterId: `k8s_${word}`, from: 'HEALTHY', to: 'HEALTHY', isRemoved: false },
      `dep_${word}`,
      { deploymentId: `dep_${word}`, clusterId: `k8s_${word}`, from: 'PROGRESSING', to: 'RUNNING' },
      `plc_${word}`,
      { placementId: `plc_${word}`, from: 'PLACING', to: 'PLACED', partition: 1 },
    ],
  );
}

/** As the look at the panel's processes does. */
export async function tellPanel({ panel }: RichScene): Promise<void> {
  await panel.sql(
    `insert into hosting.outbox (event_id, tenant_id, topic, entity_id, payload, caused_by, occurred_at)
     values ('evt_' || gen_random_uuid(), 'panel', 'hosting.ha.changed', 'ha', '{"leader": null}', 'test', now())`,
  );
}
