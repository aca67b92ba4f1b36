import type {
  AlertSeverity,
  AlertStatus,
  AnalysisVerdict,
  CanaryMemberStatus,
  CanaryStatus,
  ClusterStatus,
  CommandStatus,
  DeploymentStatus,
  GitOpsOutcome,
  GitOpsSyncStatus,
  HaHealth,
  HaNodeStatus,
  HaUpgradeStatus,
  HaUpgradeStepStatus,
  InstanceStatus,
  InvocationStatus,
  InvoiceStatus,
  LicenceStatus,
  MspClientStatus,
  NotificationDeliveryStatus,
  PartnerStatus,
  PlacementStatus,
  PlacementTargetStatus,
  PolicyStatus,
  PodPhase,
  ProviderStatus,
  RemediationStatus,
  ServerPhase,
  ServerStatus,
  SubscriptionStatus,
  TenantStatus,
} from '../generated/graphql.ts';
import { words } from './words.ts';

/** Whatever a list shows of what is in it, and what is switched on or off. */
type State =
  | AlertSeverity
  | AlertStatus
  | AnalysisVerdict
  | CanaryMemberStatus
  | CanaryStatus
  | ClusterStatus
  | CommandStatus
  | DeploymentStatus
  | GitOpsOutcome
  | GitOpsSyncStatus
  | HaHealth
  | HaNodeStatus
  | HaUpgradeStatus
  | HaUpgradeStepStatus
  | InstanceStatus
  | InvocationStatus
  | InvoiceStatus
  | LicenceStatus
  | MspClientStatus
  | NotificationDeliveryStatus
  | PartnerStatus
  | PlacementStatus
  | PlacementTargetStatus
  | PolicyStatus
  | PodPhase
  | ProviderStatus
  | RemediationStatus
  | ServerPhase
  | ServerStatus
  | SubscriptionStatus
  | TenantStatus
  | 'ON'
  | 'OFF';

/** All there are, which the compiler sees to. */
const tones: Record<State, 'good' | 'warn' | 'bad' | 'busy' | 'plain'> = {
  ACTIVE: 'good',
  APPROVED: 'good',
  DELIVERED: 'good',
  DONE: 'good',
  HEALTHY: 'good',
  PAID: 'good',
  PASS: 'good',
  PLACED: 'good',
  READY: 'good',
  RESOLVED: 'good',
  RUNNING: 'good',
  SUCCEEDED: 'good',
  SUCCESS: 'good',
  SYNCED: 'good',
  TRIALING: 'good',
  UPDATED: 'good',
  ABORTING: 'warn',
  ACKNOWLEDGED: 'warn',
  CANCELLING: 'warn',
  DEGRADED: 'warn',
  DELAYED: 'warn',
  INCOMPLETE: 'warn',
  INCONCLUSIVE: 'warn',
  OPEN: 'warn',
  OUT_OF_SYNC: 'warn',
  PAST_DUE: 'warn',
  PAUSED: 'warn',
  ROLLED_BACK: 'warn',
  STOPPED: 'warn',
  SUSPENDED: 'warn',
  WARNING: 'warn',
  CRITICAL: 'bad',
  DELIVERY_TIMED_OUT: 'bad',
  EXECUTION_TIMED_OUT: 'bad',
  EXPIRED: 'bad',
  FAIL: 'bad',
  FAILED: 'bad',
  FAILING: 'bad',
  FIRING: 'bad',
  INCOMPLETE_EXPIRED: 'bad',
  OFFLINE: 'bad',
  ORPHANED: 'bad',
  REFUSED: 'bad',
  REJECTED: 'bad',
  ROLLBACK_FAILED: 'bad',
  TERMINATED: 'bad',
  UNCOLLECTIBLE: 'bad',
  UNDELIVERABLE: 'bad',
  UNPAID: 'bad',
  UNREACHED: 'bad',
  BAKING: 'busy',
  BOOTING: 'busy',
  CREATING: 'busy',
  DELETING: 'busy',
  DEPLOYING: 'busy',
  DRAINING: 'busy',
  ENROLLING: 'busy',
  IN_PROGRESS: 'busy',
  PENDING: 'busy',
  PLACING: 'busy',
  PROGRESSING: 'busy',
  PROMOTING: 'busy',
  PROVISIONING: 'busy',
  REMOVING: 'busy',
  REQUESTED: 'busy',
  ROLLING_BACK: 'busy',
  SENT: 'busy',
  WAITING: 'busy',
  CANCELED: 'plain',
  CANCELLED: 'plain',
  DELETED: 'plain',
  EXEMPT: 'plain',
  GONE: 'plain',
  INFO: 'plain',
  OFF: 'plain',
  ON: 'plain',
  PASSED: 'plain',
  REMOVED: 'plain',
  SEEN: 'plain',
  SKIPPED: 'plain',
  UNCONFIGURED: 'plain',
  UNKNOWN: 'plain',
  VOID: 'plain',
};

/** A state by its name, and by a colour and a shape beside it. */
export function Status({ of }: { of: State }) {
  return <span className={`status ${tones[of]}`}>{words(of)}</span>;
}
