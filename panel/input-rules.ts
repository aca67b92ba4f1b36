import type { InputRules } from '#platform/input-rules.js';
import { fleetInputRules } from '#subgraphs/fleet/input-rules.js';
import { identityInputRules } from '#subgraphs/identity/input-rules.js';

/** All areas' rules: a gateway of its own knows them too, as it is of the same version. */
export const allInputRules: InputRules = { ...identityInputRules, ...fleetInputRules };
