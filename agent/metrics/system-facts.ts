import { access, readFile } from 'node:fs/promises';
import os from 'node:os';

/** What is told of a node beside measurements: dotted paths, as the panel's `factKinds` names them. */
export type Facts = Record<string, boolean | number | string | readonly string[]>;

/**
 * What this machine says of itself where a program without special rights can read it (Linux; elsewhere only what Node
 * knows). What cannot be read is left out: the panel takes that for unknown, and not for no.
 */
export async function systemFacts(root = ''): Promise<Facts> {
  const facts: Facts = { 'kernel.version': os.release(), arch: os.arch(), 'custom.node': process.version };
  if (process.platform !== 'linux') return { ...facts, 'os.name': os.type() };
  const add = async (path: string, read: Promise<Facts[string] | undefined>) => {
    const value = await read.catch(() => undefined);
    if (value !== undefined) facts[path] = value;
  };
  const release = await text(`${root}/etc/os-release`);
  await Promise.all([
    add('os.name', lineOf(release, /^NAME="?([^"\n]*)"?$/m)),
    add('os.version', lineOf(release, /^VERSION_ID="?([^"\n]*)"?$/m)),
    add('disk.encryption', isRootEncrypted(root)),
    add('firewall.enabled', isUfwOn(root)),
    add('updates.automatic', installsUpdates(root)),
    add('reboot.required', isRebootDue(root)),
    add('time.synchronized', isClockKept(root)),
  ]);
  return { ...facts, ...(await sshFacts(root)) };
}

async function lineOf(content: string | undefined, shape: RegExp): Promise<string | undefined> {
  return shape.exec(content ?? '')?.[1] || undefined;
}

/** Whether the root filesystem lies on dm-crypt, by itself or below LVM. Unknown where it is no block device of ours. */
async function isRootEncrypted(root: string): Promise<boolean | undefined> {
  const mounts = (await text(`${root}/proc/self/mountinfo`)) ?? '';
  const [, device] = / (\d+:\d+) \S+ \/ /m.exec(mounts) ?? [];
  if (device === undefined || device.startsWith('0:')) return undefined;
  const uuid = await text(`${root}/sys/dev/block/${device}/dm/uuid`);
  if (uuid === undefined) return false;
  // What LVM lies on is for root to see; a mapping that is no encryption itself tells nothing.
  return uuid.startsWith('CRYPT-') ? true : undefined;
}

async function isUfwOn(root: string): Promise<boolean | undefined> {
  const setting = /^ENABLED=(yes|no)/m.exec((await text(`${root}/etc/ufw/ufw.conf`)) ?? '')?.[1];
  return setting === undefined ? undefined : setting === 'yes';
}

async function installsUpdates(root: string): Promise<boolean | undefined> {
  if (!(await exists(`${root}/etc/apt`))) return undefined;
  const settings = (await text(`${root}/etc/apt/apt.conf.d/20auto-upgrades`)) ?? '';
  return /^\s*APT::Periodic::Unattended-Upgrade\s+"(?!0")/m.test(settings);
}

/** Debian's and Ubuntu's mark; others have none. */
async function isRebootDue(root: string): Promise<boolean | undefined> {
  return (await exists(`${root}/etc/apt`)) ? exists(`${root}/run/reboot-required`) : undefined;
}

async function isClockKept(root: string): Promise<boolean | undefined> {
  if (await exists(`${root}/run/systemd/timesync/synchronized`)) return true;
  return (await exists(`${root}/run/systemd/timesync`)) ? false : undefined;
}

async function sshFacts(root: string): Promise<Facts> {
  const settings = await text(`${root}/etc/ssh/sshd_config`);
  if (settings === undefined) return {};
  // The first one counts, and what is in a Match block is for some only; sshd's defaults stand where it says nothing.
  const [general = ''] = settings.split(/^\s*Match\s/im);
  const first = (name: string, usual: string) =>
    (new RegExp(`^\\s*${name}\\s+(\\S+)`, 'im').exec(general)?.[1] ?? usual).toLowerCase();
  return {
    'ssh.enabled': true,
    'ssh.password_login': first('PasswordAuthentication', 'yes') !== 'no',
    'ssh.root_login': first('PermitRootLogin', 'prohibit-password') !== 'no',
  };
}

async function text(file: string): Promise<string | undefined> {
  return readFile(file, 'utf8').catch(() => undefined);
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
