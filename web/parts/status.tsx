import { words } from './words.ts';

const tones: Record<string, string> = {
  HEALTHY: 'good',
  SUCCESS: 'good',
  PASS: 'good',
  ACTIVE: 'good',
  RESOLVED: 'good',
  DEGRADED: 'warn',
  WARNING: 'warn',
  ACKNOWLEDGED: 'warn',
  INCOMPLETE: 'warn',
  CANCELLING: 'warn',
  DELAYED: 'warn',
  OFFLINE: 'bad',
  CRITICAL: 'bad',
  FIRING: 'bad',
  FAILED: 'bad',
  FAIL: 'bad',
  DELIVERY_TIMED_OUT: 'bad',
  EXECUTION_TIMED_OUT: 'bad',
  TERMINATED: 'bad',
  UNDELIVERABLE: 'bad',
  IN_PROGRESS: 'busy',
  PENDING: 'busy',
};

/** A state by its name, and by a colour and a shape beside it. */
export function Status({ of }: { of: string }) {
  return <span className={`status ${tones[of] ?? 'plain'}`}>{words(of)}</span>;
}
