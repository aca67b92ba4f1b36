import { registerEnumType } from 'type-graphql';

export enum ChannelKind {
  WEBHOOK = 'WEBHOOK',
  EMAIL = 'EMAIL',
}

registerEnumType(ChannelKind, {
  name: 'NotificationChannelKind',
  description: 'How a channel is told.',
  valuesConfig: {
    WEBHOOK: { description: 'By a POST with a signature (standardwebhooks.com).' },
    EMAIL: { description: 'By e-mail.' },
  },
});

export enum NotificationType {
  ALERT_FIRING = 'ALERT_FIRING',
  ALERT_RESOLVED = 'ALERT_RESOLVED',
  CANARY_WAITING = 'CANARY_WAITING',
  CANARY_FAILED = 'CANARY_FAILED',
  GITOPS_DEGRADED = 'GITOPS_DEGRADED',
  GITOPS_RECOVERED = 'GITOPS_RECOVERED',
  TEST = 'TEST',
}

registerEnumType(NotificationType, {
  name: 'NotificationType',
  description: 'What a channel is told.',
  valuesConfig: {
    ALERT_FIRING: { description: 'Alerts fire, or fire still; `alert.firing` in a webhook.' },
    ALERT_RESOLVED: { description: 'Alerts that it was told of are over; `alert.resolved` in a webhook.' },
    CANARY_WAITING: {
      description:
        'A canary is paused, and nobody paused it: it waits for somebody. As WARNING; `canary.waiting` in a webhook.',
    },
    CANARY_FAILED: {
      description:
        'A canary was taken back by itself, or could not be. As CRITICAL; `canary.failed` in a webhook.',
    },
    GITOPS_DEGRADED: {
      description:
        'A repository of GitOps cannot be read or put into force. As CRITICAL; `gitops.degraded` in a webhook.',
    },
    GITOPS_RECOVERED: {
      description: 'That is over, of what the channel was told; `gitops.recovered` in a webhook.',
    },
    TEST: { description: 'Nothing, to see whether it arrives; `test` in a webhook.' },
  },
});

export enum DeliveryStatus {
  PENDING = 'PENDING',
  DELIVERED = 'DELIVERED',
  FAILED = 'FAILED',
}

registerEnumType(DeliveryStatus, {
  name: 'NotificationDeliveryStatus',
  description: 'What became of a notification.',
  valuesConfig: {
    PENDING: { description: 'It is yet to be taken; it is tried again with growing pauses.' },
    DELIVERED: { description: 'The other end took it.' },
    FAILED: {
      description:
        'It was given up: after ten attempts over about a day, or there was nowhere left to send it, or the alerts were ' +
        'over before the other end took it; its last attempt says why.',
    },
  },
});
