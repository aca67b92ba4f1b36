import type { InputRules } from '#platform/input-rules.js';

import { updateBrandingRules } from './branding/branding.js';
import { approveDelegationRules, requestDelegationRules } from './delegation/delegation-request.inputs.js';
import { grantDelegationRules, limitDelegationRules } from './delegation/delegation.inputs.js';
import { acceptInvitationRules, inviteMemberRules } from './member/member.inputs.js';
import { createMspClientRules, updateMspClientRules } from './msp/msp-client.inputs.js';
import { changePasswordRules, resetPasswordRules } from './password/password.inputs.js';
import { registerRules } from './registration/registration.inputs.js';
import { updateTenantRules } from './tenant/tenant.inputs.js';

export const identityInputRules: InputRules = {
  AcceptInvitationInput: () => acceptInvitationRules,
  ApproveDelegationInput: () => approveDelegationRules,
  ChangePasswordInput: () => changePasswordRules,
  CreateMspClientInput: () => createMspClientRules,
  GrantDelegationInput: () => grantDelegationRules,
  InviteMemberInput: () => inviteMemberRules,
  LimitDelegationInput: () => limitDelegationRules,
  RegisterInput: () => registerRules,
  RequestDelegationInput: () => requestDelegationRules,
  ResetPasswordInput: () => resetPasswordRules,
  UpdateBrandingInput: () => updateBrandingRules,
  UpdateMspClientInput: () => updateMspClientRules,
  UpdateTenantInput: () => updateTenantRules,
};
