import type { InputRules } from '#platform/input-rules.js';

import { registerClusterRules, updateClusterRules } from './cluster/cluster.inputs.js';
import { setHostingBudgetRules } from './cost/cost.js';
import {
  createDeploymentRules,
  updateDeploymentRules,
  updatePlacementRules,
} from './deployment/deployment.inputs.js';
import { failOverRules, startUpgradeRules } from './ha/ha.inputs.js';
import { placeDeploymentRules } from './placement/placement.inputs.js';
import { connectProviderRules } from './provider/provider.js';
import { restartDeploymentRules, rollBackDeploymentRules } from './revision/rollout.inputs.js';
import { decommissionServerRules, provisionServerRules } from './server/server.inputs.js';

export const hostingInputRules: InputRules = {
  ConnectProviderInput: () => connectProviderRules,
  CreateDeploymentInput: () => createDeploymentRules,
  DecommissionServerInput: () => decommissionServerRules,
  FailOverInput: () => failOverRules,
  PlaceDeploymentInput: () => placeDeploymentRules,
  ProvisionServerInput: () => provisionServerRules,
  RegisterClusterInput: () => registerClusterRules,
  RestartDeploymentInput: () => restartDeploymentRules,
  RollBackDeploymentInput: () => rollBackDeploymentRules,
  SetHostingBudgetInput: () => setHostingBudgetRules,
  StartUpgradeInput: () => startUpgradeRules,
  UpdateClusterInput: () => updateClusterRules,
  UpdateDeploymentInput: () => updateDeploymentRules,
  UpdatePlacementInput: () => updatePlacementRules,
};
