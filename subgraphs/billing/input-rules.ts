import type { InputRules } from '#platform/input-rules.js';

import { createCheckoutSessionRules } from './change/change.inputs.js';

export const billingInputRules: InputRules = {
  CreateCheckoutSessionInput: () => createCheckoutSessionRules,
};
