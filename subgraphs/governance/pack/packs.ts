import type { PolicyEnforcement, PolicySeverity } from '../policy/policy.entity.js';
import type { Rule } from '../rule/rule.js';

/** A policy as a pack has it: all instances, and advisory until somebody decides otherwise. */
export interface PackedPolicy {
  name: string;
  type: string;
  description: string;
  resolution: string;
  rule: Rule;
  severity: keyof typeof PolicySeverity;
  enforcement: keyof typeof PolicyEnforcement;
}

export interface Pack {
  id: string;
  name: string;
  description: string;
  policies: readonly PackedPolicy[];
}

const isTrue = (condition: string): Rule => ({ condition, operator: 'equals', value: true });
const isFalse = (condition: string): Rule => ({ condition, operator: 'equals', value: false });

const packed = (
  name: string,
  type: string,
  severity: PackedPolicy['severity'],
  rule: Rule,
  description: string,
  resolution: string,
): PackedPolicy => ({ name, type, severity, rule, description, resolution, enforcement: 'ADVISORY' });

/** Policies to begin with. */
export const packs: readonly Pack[] = [
  {
    id: 'backups',
    name: 'Backups',
    description: 'Backups are made, encrypted, recent, and somewhere else as well.',
    policies: [
      packed(
        'Backups are encrypted',
        'backup',
        'CRITICAL',
        isTrue('backup.encryption'),
        'Whoever gets hold of a backup has everything that was on the node.',
        'Set a passphrase for backups in the settings of Cloud OS.',
      ),
      packed(
        'A backup was made within two days',
        'backup',
        'HIGH',
        { condition: 'backup.last_success', operator: 'newer_than', value: '2d' },
        'A backup that fails for weeks is noticed when it is needed.',
        'Look at the last run of the backup, and send the command backup.',
      ),
      packed(
        'Backups are kept offsite',
        'backup',
        'MEDIUM',
        isTrue('backup.offsite'),
        'A disk and the backup beside it are lost together.',
        'Add a remote target for backups.',
      ),
    ],
  },
  {
    id: 'hardening',
    name: 'Hardening',
    description: 'What every server on the internet should have.',
    policies: [
      packed(
        'A firewall is on',
        'network',
        'HIGH',
        isTrue('firewall.enabled'),
        'What listens by mistake is not reached.',
        'Enable the firewall of Cloud OS.',
      ),
      packed(
        'TLS 1.2 or later',
        'network',
        'HIGH',
        { condition: 'tls.min_version', operator: 'gte', value: '1.2' },
        'TLS 1.0 and 1.1 were given up in 2021 (RFC 8996).',
        'Raise the lowest version of TLS in the settings of the proxy.',
      ),
      packed(
        'No passwords over SSH',
        'access',
        'HIGH',
        { operator: 'any', value: [isFalse('ssh.enabled'), isFalse('ssh.password_login')] },
        'Passwords are guessed; keys are not.',
        'Set PasswordAuthentication no in sshd_config.',
      ),
      packed(
        'No root over SSH',
        'access',
        'MEDIUM',
        { operator: 'any', value: [isFalse('ssh.enabled'), isFalse('ssh.root_login')] },
        'Who did what is lost when everybody is root.',
        'Set PermitRootLogin no in sshd_config.',
      ),
      packed(
        'Disks are encrypted',
        'data',
        'MEDIUM',
        isTrue('disk.encryption'),
        'Disks that are replaced are read by others.',
        'Move data to an encrypted volume.',
      ),
    ],
  },
  {
    id: 'upkeep',
    name: 'Upkeep',
    description: 'Nodes that are looked after.',
    policies: [
      packed(
        'Security updates install themselves',
        'updates',
        'MEDIUM',
        isTrue('updates.automatic'),
        'Most break-ins use what was mended long ago.',
        'Enable unattended upgrades.',
      ),
      packed(
        'No security updates wait',
        'updates',
        'HIGH',
        { condition: 'updates.pending_security', operator: 'lte', value: 0 },
        'What waits is not mended yet.',
        'Install the updates that wait.',
      ),
      packed(
        'No reboot is waited for',
        'updates',
        'LOW',
        isFalse('reboot.required'),
        'Until then the old kernel runs.',
        'Send the command restart in a maintenance window.',
      ),
      packed(
        'The clock is kept by a time server',
        'upkeep',
        'LOW',
        isTrue('time.synchronized'),
        'Sign-in and certificates depend on the time.',
        'Enable systemd-timesyncd or chrony.',
      ),
    ],
  },
];
