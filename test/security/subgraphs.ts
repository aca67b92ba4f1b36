import { areaNames, areaSettings } from '#panel/areas.js';
import { createSubgraphs, type Subgraphs } from '#panel/subgraphs.js';
import { Database, type EntityClass } from '#platform/database/database.js';
import { silentLogger } from '#platform/logger.js';
import { Keyring } from '#platform/secrets/keyring.js';

import { testSecretsKey, type TestPanel } from '../support/panel.js';

/** The panel's subgraphs once more, on its database, to be called without a gateway. */
export async function subgraphsOf(panel: TestPanel): Promise<Subgraphs> {
  const subgraphs = await createSubgraphs({
    names: areaNames,
    databaseUrls: { url: panel.database.url },
    keyring: Keyring.parse(testSecretsKey),
    clock: panel.clock,
    logger: silentLogger,
    publicUrl: 'http://panel.test',
    nodeName: 'test',
    settings: areaSettings({}),
  });
  // The keys of user tokens alone: background steps are the panel's.
  await subgraphs.running.get('identity')?.start?.();
  return subgraphs;
}

/** One area's part of the panel's database. */
export async function databaseOf(
  panel: TestPanel,
  area: string,
  entities: readonly EntityClass[] = [],
): Promise<Database> {
  return Database.open({ area, url: panel.database.url, entities, poolSize: 4, logger: silentLogger });
}
