import type { Router } from 'express';

import type { EntityClass } from '#platform/database/database.js';
import type { JobDefinition } from '#platform/jobs/job.js';
import type { Logger } from '#platform/logger.js';
import { MailQueue } from '#platform/mail-queue.js';
import { createMailer } from '#platform/mail.js';
import type { Sweep } from '#platform/membership/sweep.js';
import type { Metrics } from '#platform/metrics.js';
import { createOutbound } from '#platform/outbound/outbound.js';
import type { Keyring } from '#platform/secrets/keyring.js';

import type { FleetEnv } from '../env.js';
import type { InstanceService } from '../instance/instance.service.js';
import { alertRetention } from './alert-retention.job.js';
import { AlertRule } from './alert-rule.entity.js';
import { AlertRuleResolver } from './alert-rule.resolver.js';
import { AlertRuleService } from './alert-rule.service.js';
import { Alert } from './alert.entity.js';
import { AlertResolver, InstanceAlertsResolver } from './alert.resolver.js';
import { AlertService } from './alert.service.js';
import { AlertSubscriptions } from './alert.subscriptions.js';
import { evaluateSweep } from './evaluate.job.js';
import { createAddressPageRouter } from './notification/address-page.router.js';
import { confirmationMailJob } from './notification/confirmation-mail.job.js';
import { ConfirmationMail } from './notification/confirmation-mail.js';
import { deliverJob } from './notification/deliver.job.js';
import { dispatchSweep } from './notification/dispatch.job.js';
import { grantsRunOutSweep } from './notification/ended-grants.job.js';
import { NotificationAddress } from './notification/notification-address.entity.js';
import {
  ChannelAddressesResolver,
  NotificationAddressResolver,
} from './notification/notification-address.resolver.js';
import { NotificationAddressService } from './notification/notification-address.service.js';
import { NotificationChannel } from './notification/notification-channel.entity.js';
import { NotificationChannelService } from './notification/notification-channel.service.js';
import { NotificationDelivery } from './notification/notification-delivery.entity.js';
import { NotificationDeliveryService } from './notification/notification-delivery.service.js';
import {
  NotificationChannelResolver,
  NotificationDeliveryResolver,
} from './notification/notification.resolver.js';
import { notifySweep } from './notification/notify.job.js';
import { EffectiveRuleService } from './override/effective-rule.service.js';
import { AlertRuleOverride } from './override/override.entity.js';
import {
  AlertRuleOverrideResolver,
  AlertRuleOverridesResolver,
  InstanceRulesResolver,
} from './override/override.resolver.js';
import { AlertRuleOverrideService } from './override/override.service.js';
import { Silence } from './silence/silence.entity.js';
import { AlertSilencesResolver, SilenceResolver } from './silence/silence.resolver.js';
import { SilenceService } from './silence/silence.service.js';
import { SilenceSubscriptions } from './silence/silence.subscriptions.js';

export const alertEntities: readonly EntityClass[] = [
  Alert,
  AlertRule,
  AlertRuleOverride,
  Silence,
  NotificationChannel,
  NotificationAddress,
  NotificationDelivery,
];

export interface AlertsOptions {
  instances: InstanceService;
  keyring: Keyring;
  publicUrl: string;
  logger: Logger;
  metrics?: Metrics | undefined;
  env: FleetEnv;
  isSuspended: (tenantId: string) => boolean;
}

/** Everything about alerts that the subgraph's wiring takes in. */
export interface Alerts {
  service: AlertService;
  resolvers: readonly object[];
  sweeps: readonly Sweep[];
  jobs: readonly JobDefinition[];
  /** The page that recipients of alerts confirm their address on. */
  routers: readonly Router[];
}

const outboundLimits = { timeoutMs: 15_000, maxBytes: 64 * 1024, maxRedirects: 0 };

export function createAlerts(options: AlertsOptions): Alerts {
  const { instances, keyring, publicUrl, logger, metrics, env, isSuspended } = options;
  const service = new AlertService();
  const rules = new AlertRuleService();
  const overrides = new AlertRuleOverrideService();
  const silences = new SilenceService(instances);
  const allowPrivateTargets = env.ALLOW_PRIVATE_TARGETS;
  const outbound = createOutbound({ ...outboundLimits, allowPrivateTargets, logger });
  const mailer = createMailer({
    smtpUrl: env.SMTP_URL,
    isLogged: env.MAIL_LOG,
    from: env.MAIL_FROM,
    logger,
    metrics,
  });
  const mails = new MailQueue('fleet.notification.confirm', keyring);
  const addresses = new NotificationAddressService(new ConfirmationMail(mails, publicUrl));
  return {
    service,
    resolvers: [
      new AlertResolver(service, instances),
      new InstanceAlertsResolver(),
      new AlertRuleResolver(rules),
      new AlertRuleOverrideResolver(overrides, rules),
      new AlertRuleOverridesResolver(overrides),
      new InstanceRulesResolver(new EffectiveRuleService(rules, overrides, instances)),
      new AlertSubscriptions(service),
      new SilenceResolver(silences),
      new SilenceSubscriptions(silences),
      new AlertSilencesResolver(silences),
      new NotificationChannelResolver(new NotificationChannelService(keyring, outbound, addresses)),
      new NotificationAddressResolver(addresses),
      new ChannelAddressesResolver(addresses),
      new NotificationDeliveryResolver(new NotificationDeliveryService()),
    ],
    sweeps: [
      evaluateSweep(env.HEARTBEAT_SECONDS),
      notifySweep(isSuspended),
      dispatchSweep,
      grantsRunOutSweep,
      alertRetention,
    ],
    jobs: [deliverJob({ keyring, outbound, mailer, publicUrl, logger }), confirmationMailJob(mails, mailer)],
    routers: [createAddressPageRouter()],
  };
}
