import type { InputRules } from '#platform/input-rules.js';

import { registerClusterRules, updateClusterRules } from './cluster/cluster.inputs.js';
import { setHostingBudgetRules } from './cost/cost.js';
import { createDeploymentRules, updateDeploymentRules } from './deployment/deployment.inputs.js';
import { placeDeploymentRules, updatePlacementRules } from './placement/placement.inputs.js';
import { connectProviderRules } from './provider/provider.js';
import { decommissionServerRules, provisionServerRules } from './server/server.inputs.js';

export const hostingInputRules: InputRules = {
  ConnectProviderInput: () => connectProviderRules,
  CreateDeploymentInput: () => createDeploymentRules,
  DecommissionServerInput: () => decommissionServerRules,
  PlaceDeploymentInput: () => placeDeploymentRules,
  ProvisionServerInput: () => provisionServerRules,
  RegisterClusterInput: () => registerClusterRules,
  SetHostingBudgetInput: () => setHostingBudgetRules,
  UpdateClusterInput: () => updateClusterRules,
  UpdateDeploymentInput: () => updateDeploymentRules,
  UpdatePlacementInput: () => updatePlacementRules,
};
