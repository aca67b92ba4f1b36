import { EnvError, readAll, settingOf, type EnvSource } from '#platform/env.js';

import { areaSettings, type AreaSettings } from './areas.js';
import { assertDataDir } from './data-dir.js';
import { dataEnv, databaseEnv, panelEnv, type PanelEnv } from './env.js';
import { splitEnv, type SplitEnv } from './split-env.js';

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

/** By the programs' names: what each reads of the environment before it does anything. */
export const settingsOf = {
  panel: panelSettings,
  gateway: gatewaySettings,
  subgraph: subgraphSettings,
  migrate: databaseEnv,
} as const satisfies Record<string, (source: EnvSource) => unknown>;

const whole = { panel: panelEnv, settings: areaSettings };

function assertData(source: EnvSource): void {
  assertDataDir(dataEnv(source));
}

/** Gateways cannot see each other, so each of them has to share its limits. */
function assertShared(source: EnvSource): void {
  if (settingOf(source, 'REDIS_URL') === undefined)
    throw new EnvError(['REDIS_URL is required for a gateway of its own']);
}
