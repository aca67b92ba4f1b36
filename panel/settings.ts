import { EnvError, readAll, settingOf, type EnvSource } from '#platform/env.js';

import { areaSettings, type AreaSettings } from './areas.js';
import { assertDataDir } from './data-dir.js';
import { dataEnv, databaseEnv, panelEnv, type PanelEnv } from './env.js';
import { splitEnv, type SplitEnv } from './split-env.js';
import { publicUrlWarnings, tlsWarnings } from './warnings.js';

/** What a whole panel is told. */
export interface PanelSettings {
  panel: PanelEnv;
  settings: AreaSettings;
}

/** What a process of split mode is told. */
export interface SplitSettings extends PanelSettings {
  split: SplitEnv;
}

/** The settings of a whole panel; throws one EnvError for all that is wrong. */
export function panelSettings(source: EnvSource): PanelSettings {
  const { panel, settings } = readAll({ ...whole, data: assertData }, source);
  return { panel, settings };
}

/** The settings of a subgraph of its own; throws one EnvError for all that is wrong. */
export function subgraphSettings(source: EnvSource): SplitSettings {
  const { panel, settings, split } = readAll({ ...whole, split: splitEnv, data: assertData }, source);
  return { panel, settings, split };
}

/** The settings of a gateway of its own, which has no data; throws one EnvError for all that is wrong. */
export function gatewaySettings(source: EnvSource): SplitSettings {
  const { panel, settings, split } = readAll({ ...whole, split: splitEnv, limits: assertShared }, source);
  return { panel, settings, split };
}

/**
 * By the programs' names: reads what each reads of the environment before it does anything, and answers what it warns of.
 * Throws one EnvError for all that is wrong.
 */
export const checks = {
  panel: (source) => {
    const { panel } = panelSettings(source);
    return [...tlsWarnings(panel), ...publicUrlWarnings(panel)];
  },
  gateway: (source) => {
    gatewaySettings(source);
    return [];
  },
  subgraph: (source) => tlsWarnings(subgraphSettings(source).panel),
  migrate: (source) => tlsWarnings(databaseEnv(source)),
} as const satisfies Record<string, (source: EnvSource) => readonly string[]>;

const whole = { panel: panelEnv, settings: areaSettings };

function assertData(source: EnvSource): void {
  assertDataDir(dataEnv(source));
}

/** Gateways cannot see each other, so each of them has to share its limits. */
function assertShared(source: EnvSource): void {
  if (settingOf(source, 'REDIS_URL') === undefined)
    throw new EnvError(['REDIS_URL is required for a gateway of its own']);
}
