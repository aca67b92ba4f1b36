import { randomUUID } from 'node:crypto';

import { dataOf } from '../support/answers.js';
import type { RichScene } from './rich-scene.js';

type Parts = Pick<RichScene, 'panel' | 'tenant' | 'word'>;

/** A repository that is paused, with a commit and a thing that is of it. */
export async function gitOps({ panel, tenant, word }: Parts): Promise<void> {
  // Not with the prefix of another kind: 26 characters of base32 as they come from its own id.
  const id = `git_${tenant.id.slice(4)}`;
  await panel.sql(
    `insert into governance.gitops_config (tenant_id, id, name, repo_url, branch, path, auto_sync, self_heal, prune,
       is_paused, sync_interval_seconds, sync_status, health, declared, changes, problems, created_by, created_at, updated_at)
     values ($1, $2, $3, $4, 'main', '', true, false, false, true, 120, 'UNKNOWN', 'SUSPENDED', '[]', '[]',
       jsonb_build_array(jsonb_build_object('message', $5::text)), $6, now(), now())`,
    [tenant.id, id, `${word} repository`, `https://${word}.example/x.git`, `${word} problem`, tenant.user.id],
  );
  await panel.sql(
    `insert into governance.gitops_commit (tenant_id, config_id, sha, author, subject, authored_at, seen_at, outcome, problems)
     values ($1, $2, $3, $4, $5, now(), now(), 'SYNCED', '[]')`,
    [tenant.id, id, randomUUID(), `${word} author`, `${word} subject`],
  );
  await panel.sql(
    `insert into governance.gitops_resource (tenant_id, kind, key, config_id, name, since)
     values ($1, 'Policy', $2, $3, $2, now())`,
    [tenant.id, `${word} declared`, id],
  );
  // In everybody's trail.
  await tellGitOps({ panel, tenant, word });
}

/** Changes it, and so tells of it. */
export async function tellGitOps({ panel, tenant, word }: Parts): Promise<void> {
  const answer = await tenant.graphql(
    'mutation ($id: ID!, $input: UpdateGitOpsConfigInput!) { updateGitOpsConfig(id: $id, input: $input) { id } }',
    {
      id: `git_${tenant.id.slice(4)}`,
      input: { name: `${word} ${panel.clock.now().getTime()} ${Math.random()}` },
    },
  );
  dataOf(answer);
  await panel.sql(
    `insert into governance.outbox (event_id, tenant_id, topic, entity_id, payload, caused_by, occurred_at)
     values ('evt_' || gen_random_uuid(), $1, 'governance.gitops.removed', 'git_' || $2, $3, 'test', now())`,
    [tenant.id, word, { name: `${word} repository that was` }],
  );
}
