import type { InputRules } from '#platform/input-rules.js';

import { createCanaryRules, updateCanaryRules } from './canary/canary.inputs.js';
import { createExemptionRules } from './exemption/exemption.inputs.js';
import { createGitOpsConfigRules, updateGitOpsConfigRules } from './gitops/gitops-config.inputs.js';
import { createPolicyRules, updatePolicyRules } from './policy/policy.inputs.js';
import { remediatePolicyRules } from './remediation/remediation.inputs.js';
import { previewPolicyRules } from './whatif/whatif.types.js';

export const governanceInputRules: InputRules = {
  CreatePolicyInput: () => createPolicyRules,
  UpdatePolicyInput: () => updatePolicyRules,
  CreateGitOpsConfigInput: () => createGitOpsConfigRules,
  UpdateGitOpsConfigInput: () => updateGitOpsConfigRules,
  PreviewPolicyInput: () => previewPolicyRules,
  CreatePolicyExemptionInput: createExemptionRules,
  RemediatePolicyInput: () => remediatePolicyRules,
  CreateCanaryInput: () => createCanaryRules,
  UpdateCanaryInput: () => updateCanaryRules,
};
