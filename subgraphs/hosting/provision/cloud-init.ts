import type { Driver } from '../provider/driver.js';

/** The most that providers take. */
export const longestUserData = 32 * 1024;

export interface NodeSetup {
  hostname: string;
  panelUrl: string;
  enrollmentToken: string;
  /** What is fetched and run; nothing where servers are not real. */
  installer: string | undefined;
}

/** Whether a server can become a node. On a stand-in's nothing is run: its machines enroll by themselves. */
export function canInstall({ isSandbox }: Pick<Driver, 'isSandbox'>, installer: string | undefined): boolean {
  return isSandbox || installer !== undefined;
}

const file = '/etc/quazzar/enrollment.json';

/**
 * What a new server does when it first starts: it installs Cloud OS, which enrolls with the token in the file, and takes
 * the file away. JSON is YAML, so nothing in it needs quoting rules of its own. Any process on the server can read it from
 * the provider for as long as it runs, which is why the token is good once, for this host, and not for long.
 */
export function cloudInit({ hostname, panelUrl, enrollmentToken, installer }: NodeSetup): string {
  const enrollment = { panel_url: panelUrl, token: enrollmentToken, name: hostname, hostname };
  const document = {
    hostname,
    ssh_pwauth: false,
    package_update: true,
    packages: ['ca-certificates', 'curl'],
    write_files: [
      { path: file, permissions: '0600', owner: 'root:root', content: `${JSON.stringify(enrollment)}\n` },
    ],
    ...(installer === undefined ? {} : { runcmd: install(installer) }),
  };
  const text = `#cloud-config\n${JSON.stringify(document, null, 1)}\n`;
  if (Buffer.byteLength(text) > longestUserData) throw new Error('the cloud-init document is too long');
  return text;
}

function install(installer: string): string[][] {
  const download = 'curl --fail --silent --show-error --location --retry 10 --output /run/cloud-os-install';
  return [
    ['sh', '-c', `${download} '${installer}'`],
    ['sh', '/run/cloud-os-install', '--enrollment', file],
    ['rm', '-f', file, '/run/cloud-os-install'],
  ];
}

/** For servers that become no node: only that nobody gets in by a password. */
export function plainCloudInit(hostname: string): string {
  return `#cloud-config\n${JSON.stringify({ hostname, ssh_pwauth: false })}\n`;
}
