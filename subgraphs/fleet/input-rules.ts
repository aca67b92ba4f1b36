import type { InputRules } from '#platform/input-rules.js';

import { updateAlertRuleRules } from './alert/alert-rule.inputs.js';
import { acknowledgeAlertsRules } from './alert/alert.inputs.js';
import {
  createEmailChannelRules,
  createWebhookChannelRules,
  rotateWebhookSecretRules,
  updateNotificationChannelRules,
} from './alert/notification/notification.inputs.js';
import { overrideAlertRuleRules, replaceAlertRuleOverridesRules } from './alert/override/override.inputs.js';
import { createSilenceRules } from './alert/silence/silence.inputs.js';
import { retryCommandRules, sendCommandRules } from './command/command.inputs.js';
import {
  createEnrollmentTokenRules,
  createServerEnrollmentTokenRules,
} from './enrollment/enrollment.inputs.js';
import { impersonateInstanceRules } from './impersonation/impersonation.inputs.js';
import { updateInstanceRules } from './lifecycle/lifecycle.inputs.js';
import { createMaintenanceWindowRules } from './maintenance/window.inputs.js';

/** What nodes send is judged leniently, and not here. */
export const fleetInputRules: InputRules = {
  AcknowledgeAlertsInput: () => acknowledgeAlertsRules,
  CreateEmailChannelInput: () => createEmailChannelRules,
  CreateEnrollmentTokenInput: () => createEnrollmentTokenRules,
  CreateMaintenanceWindowInput: () => createMaintenanceWindowRules,
  CreateServerEnrollmentTokenInput: () => createServerEnrollmentTokenRules,
  CreateSilenceInput: createSilenceRules,
  CreateWebhookChannelInput: () => createWebhookChannelRules,
  ImpersonateInstanceInput: () => impersonateInstanceRules,
  OverrideAlertRuleInput: () => overrideAlertRuleRules,
  ReplaceAlertRuleOverridesInput: () => replaceAlertRuleOverridesRules,
  RetryCommandInput: () => retryCommandRules,
  RotateWebhookSecretInput: () => rotateWebhookSecretRules,
  SendCommandInput: sendCommandRules,
  UpdateAlertRuleInput: () => updateAlertRuleRules,
  UpdateInstanceInput: () => updateInstanceRules,
  UpdateNotificationChannelInput: () => updateNotificationChannelRules,
};
