/** What a fact's value is. */
export type FactType = 'boolean' | 'number' | 'text' | 'version' | 'time' | 'list' | 'any';

export interface FactKind {
  /** Dotted, as `backup.encryption`. One that ends in `.*` stands for every path below it. */
  path: string;
  type: FactType;
  description: string;
  /** Of a number. */
  unit?: string;
  /** Who says so: the node itself, the panel, whoever asks for admission, or measurements that come with beats. */
  source: 'node' | 'panel' | 'action' | 'metrics';
}

/** Goes up with each change of the list below; nodes may report theirs as `facts.version`. */
export const catalogueVersion = 3;

const node = (path: string, type: FactType, description: string, unit?: string): FactKind => ({
  path,
  type,
  description,
  source: 'node',
  ...(unit === undefined ? {} : { unit }),
});
const panel = (path: string, type: FactType, description: string): FactKind => ({
  path,
  type,
  description,
  source: 'panel',
});

const counted = (path: string, description: string, unit: string): FactKind => ({
  ...panel(path, 'number', description),
  unit,
});

/** A policy about such a fact is asked before actions, and has no results otherwise. */
const action = (path: string, type: FactType, description: string, unit?: string): FactKind => ({
  ...node(path, type, `${description} Asked before actions only.`, unit),
  source: 'action',
});

/** What fleet keeps of beats: the newest value, and means over what it has kept since. */
const metric = (path: string, description: string, unit: string): FactKind => ({
  ...node(`metrics.${path}`, 'number', description, unit),
  source: 'metrics',
});
const windows = (path: string, what: string, unit: string): FactKind[] => [
  metric(`${path}.latest`, `${what}, at the newest beat.`, unit),
  metric(`${path}.avg_1h`, `${what}, in the mean over the last hour.`, unit),
  metric(`${path}.avg_24h`, `${what}, in the mean over the whole hours of the last day.`, unit),
];

/** Everything that a policy may be about. What is not here is refused when a policy is written. */
export const catalogue: readonly FactKind[] = [
  node('os.name', 'text', 'The operating system, as `Debian GNU/Linux`.'),
  node('os.version', 'version', 'Its version, as `12` or `22.04`.'),
  node('kernel.version', 'version', 'The version of its kernel, as `6.1.0-18-amd64`.'),
  node('arch', 'text', 'The processor architecture, as `x64` or `arm64`.'),
  node('backup.enabled', 'boolean', 'Whether backups are made by themselves.'),
  node('backup.encryption', 'boolean', 'Whether backups are encrypted.'),
  node('backup.offsite', 'boolean', 'Whether a copy of each backup is kept elsewhere.'),
  node('backup.last_success', 'time', 'When a backup was last finished.'),
  node('disk.encryption', 'boolean', 'Whether the disk that holds data is encrypted.'),
  node('firewall.enabled', 'boolean', 'Whether a firewall is on.'),
  node('tls.min_version', 'version', 'The lowest version of TLS that is accepted, as `1.2`.'),
  node('tls.certificate_expires_at', 'time', 'When the certificate of its address ends.'),
  node('ssh.enabled', 'boolean', 'Whether an SSH server runs.'),
  node('ssh.password_login', 'boolean', 'Whether SSH lets anyone in by a password.'),
  node('ssh.root_login', 'boolean', 'Whether SSH lets root in.'),
  node('updates.automatic', 'boolean', 'Whether security updates are installed by themselves.'),
  node('updates.pending_security', 'number', 'Security updates that wait to be installed.', 'updates'),
  node('reboot.required', 'boolean', 'Whether an update waits for a reboot.'),
  node('time.synchronized', 'boolean', 'Whether its clock is kept by a time server.'),
  node('apps.count', 'number', 'Apps installed.', 'apps'),
  node('apps.installed', 'list', 'The names of the apps installed.'),
  node('custom.*', 'any', 'Whatever else a node reports below `custom`; its type is what it comes with.'),
  panel('cloud_os.version', 'version', 'The version of Cloud OS that it runs, from its beats.'),
  panel('instance.tags', 'list', 'Its tags in the panel.'),
  panel('instance.status', 'text', '`online`, or `offline` when it has stopped beating.'),
  ...windows('cpu', 'CPU in use, 0 to 100', 'percent'),
  ...windows('memory', 'Memory in use, 0 to 100', 'percent'),
  ...windows('disk', 'Disk in use, 0 to 100', 'percent'),
  metric('load.latest', 'Load average over one minute, at the newest beat.', 'processes'),
  metric('uptime.latest', 'Since when the node runs, at the newest beat.', 'seconds'),
  metric('net_rx.latest', 'Received over the interval before the newest beat.', 'bytes per second'),
  metric('net_tx.latest', 'Sent over the interval before the newest beat.', 'bytes per second'),
  action(
    'action.kind',
    'text',
    'What is about to be done: `command.update`, `canary.update`, `server.provision`, `plan.change`, ...',
  ),
  action('server.provider', 'text', 'Of a server to be made: whose it will be, as `hetzner`.'),
  action('server.region', 'text', 'Of a server to be made: where, as `nbg1`.'),
  action('server.country', 'text', 'Of a server to be made: the country of its region, as `DE`.'),
  action('server.size', 'text', 'Of a server to be made: how large, as `cx32`.'),
  panel('cluster.name', 'text', 'Of a Kubernetes cluster: its name.'),
  panel('cluster.provider', 'text', 'Of a cluster: whose it is, as `hetzner`.'),
  panel('cluster.region', 'text', 'Of a cluster: where it is, as `eu-central`.'),
  panel('cluster.tags', 'list', 'Of a cluster: its tags.'),
  panel('cluster.version', 'version', 'Of a cluster: its version of Kubernetes, as `1.35`.'),
  panel('cluster.status', 'text', 'Of a cluster: `healthy`, `degraded` or `offline`.'),
  counted('cluster.nodes', 'Of a cluster: how many nodes it has.', 'nodes'),
  counted('cluster.nodes_not_ready', 'Of a cluster: how many of its nodes are not ready.', 'nodes'),
  counted('cluster.cpu_cores', 'Of a cluster: the processor cores of its nodes together.', 'cores'),
  counted('cluster.memory_gb', 'Of a cluster: the memory of its nodes together.', 'GiB'),
  panel('cluster.credential_expires_at', 'time', "Of a cluster: when the panel's credential for it ends."),
  action('plan.name', 'text', 'Of a change of plan: the plan afterwards, `FREE`, `PRO` or `ENTERPRISE`.'),
  action('plan.features', 'list', 'Of a change of plan: what the plan afterwards includes, as `governance`.'),
  action('deployment.cluster', 'text', 'Of a deployment: the id of its cluster.'),
  action('deployment.namespace', 'text', 'Of a deployment: its namespace.'),
  action('deployment.image', 'text', 'Of a deployment: the image with its tag or digest.'),
  action('deployment.replicas', 'number', 'Of a deployment: how many are to run.', 'replicas'),
];

const byPath = new Map(catalogue.map((kind) => [kind.path, kind]));
const longestPath = 200;
const pathShape = /^[a-z][\w-]*(\.[\w-]+)*$/i;

/** The kind of the fact at a path; undefined when there is none. */
export function kindOf(path: string): FactKind | undefined {
  if (path.length > longestPath || !pathShape.test(path)) return undefined;
  return byPath.get(path) ?? (path.startsWith('custom.') ? byPath.get('custom.*') : undefined);
}

/** Whether one of them is known at admission only. */
export function isAboutActions(paths: readonly string[]): boolean {
  return paths.some((path) => kindOf(path)?.source === 'action');
}

/** Whether any of them is a cluster's: such a policy is for clusters, and any other for instances. */
export function isAboutClusters(paths: readonly string[]): boolean {
  return paths.some((path) => path.startsWith('cluster.'));
}

/** Whether a policy would be about both, which nothing is. */
export function isAboutBoth(paths: readonly string[]): boolean {
  return (
    isAboutClusters(paths) &&
    paths.some((path) => !path.startsWith('cluster.') && kindOf(path)?.source !== 'action')
  );
}

/** Those that are about what is measured. */
export function metricsAmong(paths: readonly string[]): string[] {
  return paths.filter((path) => kindOf(path)?.source === 'metrics');
}

/** The path that was probably meant. */
export function nearestPath(path: string): string | undefined {
  const [area = ''] = path.slice(0, longestPath).split('.');
  const wanted = path.slice(0, longestPath).toLowerCase();
  const near = catalogue
    .map((kind) => ({ path: kind.path, distance: distance(wanted, kind.path) }))
    .toSorted((a, b) => a.distance - b.distance)[0];
  if (near && near.distance <= 3) return near.path;
  return catalogue.find((kind) => kind.path.startsWith(`${area}.`))?.path;
}

/** Levenshtein's. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      next.push(Math.min(next[j - 1]! + 1, row[j]! + 1, row[j - 1]! + cost));
    }
    row = next;
  }
  return row[b.length]!;
}
