import { seededRandom } from '../random.js';
import type { Facts } from './system-facts.js';

const hourMs = 3_600_000;

/**
 * A believable spread: most of what ought to be so is so, and each node has something else that is not. The same name
 * gives the same facts. A node whose backup component is unhealthy has an old backup.
 */
export function simulatedFacts(
  name: string,
  options: { appsCount: number; isBackupOld: boolean; startedAt: Date },
): Facts {
  const random = seededRandom(`the facts of ${name}`);
  const mostly = (chance: number) => random() < chance;
  const isSshOn = mostly(0.9);
  const backupAge = options.isBackupOld ? 26 * hourMs : (1 + 20 * random()) * hourMs;
  return {
    'os.name': 'Cloud OS',
    'os.version': mostly(0.7) ? '12' : '11',
    'kernel.version': mostly(0.6) ? '6.1.0-28-amd64' : '6.1.0-18-amd64',
    arch: mostly(0.8) ? 'x64' : 'arm64',
    'backup.enabled': true,
    'backup.encryption': mostly(0.75),
    'backup.offsite': mostly(0.6),
    'backup.last_success': new Date(options.startedAt.getTime() - backupAge).toISOString(),
    'disk.encryption': mostly(0.7),
    'firewall.enabled': mostly(0.85),
    'tls.min_version': mostly(0.8) ? '1.2' : '1.0',
    'tls.certificate_expires_at': new Date(
      options.startedAt.getTime() + (10 + 70 * random()) * 24 * hourMs,
    ).toISOString(),
    'ssh.enabled': isSshOn,
    'ssh.password_login': isSshOn && mostly(0.25),
    'ssh.root_login': isSshOn && mostly(0.2),
    'updates.automatic': mostly(0.7),
    'updates.pending_security': mostly(0.6) ? 0 : 1 + Math.floor(random() * 12),
    'reboot.required': mostly(0.25),
    'time.synchronized': mostly(0.95),
    'apps.count': options.appsCount,
    'custom.simulated': true,
  };
}
