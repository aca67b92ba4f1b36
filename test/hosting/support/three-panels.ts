import { createTestDatabase, testAdministrator, testSecretsKey } from '../../support/panel.js';
import { TestRedis } from '../../support/redis.js';
import { Supervisor } from '../../support/supervisor.js';

export interface ThreePanels extends AsyncDisposable {
  nodes: Supervisor;
}

/** The processes `one`, `two` and `three` as version 1.0.0 on one database and one Redis. The first has the leases. */
export async function startThreePanels(settings: Record<string, string> = {}): Promise<ThreePanels> {
  const redis = await TestRedis.start();
  const database = await createTestDatabase();
  const nodes = new Supervisor({
    DATABASE_URL: database.url,
    SECRETS_KEY: testSecretsKey,
    PUBLIC_URL: 'http://panel.test',
    REDIS_URL: redis.url,
    ADMIN_EMAIL: testAdministrator.email,
    ADMIN_PASSWORD: testAdministrator.password,
    ...settings,
  });
  for (const node of ['one', 'two', 'three']) await nodes.start(node, '1.0.0');
  return {
    nodes,
    async [Symbol.asyncDispose]() {
      await nodes[Symbol.asyncDispose]();
      await database.drop();
      await redis[Symbol.asyncDispose]();
    },
  };
}
