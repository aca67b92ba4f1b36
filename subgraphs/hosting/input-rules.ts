import type { InputRules } from '#platform/input-rules.js';

import { setHostingBudgetRules } from './cost/cost.js';
import { connectProviderRules } from './provider/provider.js';
import { decommissionServerRules, provisionServerRules } from './server/server.inputs.js';

export const hostingInputRules: InputRules = {
  ConnectProviderInput: () => connectProviderRules,
  DecommissionServerInput: () => decommissionServerRules,
  ProvisionServerInput: () => provisionServerRules,
  SetHostingBudgetInput: () => setHostingBudgetRules,
};
