import { registerEnumType } from 'type-graphql';

export enum AlertRuleKind {
  OFFLINE = 'OFFLINE',
  CPU = 'CPU',
  MEMORY = 'MEMORY',
  DISK = 'DISK',
  COMPONENT_UNHEALTHY = 'COMPONENT_UNHEALTHY',
  COMMAND_FAILED = 'COMMAND_FAILED',
  DUPLICATE_IDENTITY = 'DUPLICATE_IDENTITY',
  POLICY_VIOLATION = 'POLICY_VIOLATION',
}

registerEnumType(AlertRuleKind, {
  name: 'AlertRuleKind',
  description: 'What an alert is about. The list is closed: tenants set the limits, not the kinds.',
  valuesConfig: {
    OFFLINE: {
      description:
        'No heartbeat for three of the offered intervals in which the panel could hear it. A node that never beat ' +
        'raises none, nor does one whose agent said that it was stopped.',
    },
    CPU: { description: 'CPU in use is at the threshold or above.' },
    MEMORY: { description: 'Memory in use is at the threshold or above.' },
    DISK: { description: 'Disk in use is at the threshold or above.' },
    COMPONENT_UNHEALTHY: {
      description: 'The node reports a component as unhealthy; one alert for each component.',
    },
    COMMAND_FAILED: {
      description:
        'A command ended as FAILED or EXECUTION_TIMED_OUT on the instance; one alert for each kind of command. It fires ' +
        'at once, and the next command of the kind that succeeds there clears it. One that the node never took up ' +
        'raises none, but for one with `startAt` that a mandatory policy refused when its time had come.',
    },
    DUPLICATE_IDENTITY: {
      description:
        'Two nodes seem to use the same credential: `isDuplicate` of the instance. Over ten minutes after its beats have ' +
        'last stepped back.',
    },
    POLICY_VIOLATION: {
      description:
        'A mandatory policy does not hold on the instance; one alert for each policy. It fires at once, as CRITICAL where the ' +
        'policy is high or critical and the rule sets no severity, and is over when the policy holds or applies no longer. ' +
        'While it goes on it is found again once an hour, and when the policy is changed: one that was resolved by hand, ' +
        'or before which the rule was off, begins anew then.',
    },
  },
});

/** Those that are told of as they happen, and not found by looking. They fire at once. */
export const toldKinds: readonly AlertRuleKind[] = [
  AlertRuleKind.COMMAND_FAILED,
  AlertRuleKind.POLICY_VIOLATION,
];

export enum AlertSeverity {
  INFO = 'INFO',
  WARNING = 'WARNING',
  CRITICAL = 'CRITICAL',
}

registerEnumType(AlertSeverity, {
  name: 'AlertSeverity',
  description: 'How urgent an alert is, as its rule says.',
  valuesConfig: {
    INFO: { description: 'Worth knowing.' },
    WARNING: { description: 'Somebody should look at it in working hours.' },
    CRITICAL: { description: 'Somebody should look at it now.' },
  },
});

/** From the least to the most urgent. */
export const severities: readonly AlertSeverity[] = Object.values(AlertSeverity);

export enum AlertStatus {
  PENDING = 'PENDING',
  FIRING = 'FIRING',
  ACKNOWLEDGED = 'ACKNOWLEDGED',
  RESOLVED = 'RESOLVED',
}

registerEnumType(AlertStatus, {
  name: 'AlertStatus',
  description: 'How far an alert is. FIRING and ACKNOWLEDGED ones are the active ones.',
  valuesConfig: {
    PENDING: {
      description:
        "The condition holds, but not yet for the rule's `forSeconds`. Nobody is told, and if it passes nothing is kept.",
    },
    FIRING: { description: 'The condition has held for long enough and nobody has taken it up.' },
    ACKNOWLEDGED: {
      description:
        'Somebody has taken it up. It stays so until it resolves; if it comes back, that is a new alert.',
    },
    RESOLVED: { description: 'It is over. Kept for 90 days.' },
  },
});

/** Those of active alerts. */
export const activeStatuses: readonly AlertStatus[] = [AlertStatus.FIRING, AlertStatus.ACKNOWLEDGED];

export enum AlertPhase {
  PENDING = 'PENDING',
  FIRING = 'FIRING',
  RECOVERING = 'RECOVERING',
  NO_DATA = 'NO_DATA',
  RESOLVED = 'RESOLVED',
}

registerEnumType(AlertPhase, {
  name: 'AlertPhase',
  description:
    "What is known of an alert's condition just now. Beside the status, which says what people did about it: an " +
    'acknowledged alert has a phase too.',
  valuesConfig: {
    PENDING: { description: "The condition holds, but not yet for the rule's `forSeconds`." },
    FIRING: { description: 'The condition holds.' },
    RECOVERING: {
      description: "The condition is gone, but not yet for the rule's `keepFiringForSeconds`.",
    },
    NO_DATA: {
      description:
        'The node is offline, so that nobody knows whether the condition still holds. Not of OFFLINE itself.',
    },
    RESOLVED: { description: 'It is over.' },
  },
});

export enum AlertResolution {
  CLEARED = 'CLEARED',
  BY_HAND = 'BY_HAND',
  RULE_DISABLED = 'RULE_DISABLED',
  INSTANCE_REMOVED = 'INSTANCE_REMOVED',
}

registerEnumType(AlertResolution, {
  name: 'AlertResolution',
  description: 'Why an alert is over.',
  valuesConfig: {
    CLEARED: { description: "The condition was gone for the rule's `keepFiringForSeconds`." },
    BY_HAND: { description: 'Somebody resolved it. What is found after that raises a new alert.' },
    RULE_DISABLED: { description: 'The rule was switched off, for all or by an override for its instance.' },
    INSTANCE_REMOVED: { description: 'The instance is no more.' },
  },
});
