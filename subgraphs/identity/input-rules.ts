import type { InputRules } from '#platform/input-rules.js';

import { updateBrandingRules } from './branding/branding.js';
import { grantDelegationRules } from './delegation/delegation.inputs.js';
import { acceptInvitationRules, inviteMemberRules } from './member/member.inputs.js';
import { createMspClientRules, updateMspClientRules } from './msp/msp-client.inputs.js';
import { changePasswordRules, resetPasswordRules } from './password/password.inputs.js';
import { registerRules } from './registration/registration.inputs.js';
import { updateTenantRules } from './tenant/tenant.inputs.js';

export const identityInputRules: InputRules = {
  AcceptInvitationInput: () => acceptInvitationRules,
  ChangePasswordInput: () => changePasswordRules,
  CreateMspClientInput: () => createMspClientRules,
  GrantDelegationInput: () => grantDelegationRules,
  InviteMemberInput: () => inviteMemberRules,
  RegisterInput: () => registerRules,
  ResetPasswordInput: () => resetPasswordRules,
  UpdateBrandingInput: () => updateBrandingRules,
  UpdateMspClientInput: () => updateMspClientRules,
  UpdateTenantInput: () => updateTenantRules,
};
