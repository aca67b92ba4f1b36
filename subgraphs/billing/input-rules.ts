import type { InputRules } from '#platform/input-rules.js';

import { createCheckoutSessionRules } from './change/change.inputs.js';
import { approvePartnerRules, registerPartnerRules, updatePartnerRules } from './partner/partner.inputs.js';

export const billingInputRules: InputRules = {
  ApprovePartnerInput: () => approvePartnerRules,
  CreateCheckoutSessionInput: () => createCheckoutSessionRules,
  RegisterPartnerInput: () => registerPartnerRules,
  UpdatePartnerInput: () => updatePartnerRules,
};
