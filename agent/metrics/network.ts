import { readdir, readFile, realpath } from 'node:fs/promises';
import os from 'node:os';

import { networkInterfaces, networkStats } from 'systeminformation';

/** Bytes since the machine started. */
export interface Traffic {
  readonly received: number;
  readonly sent: number;
}

type Counters = ReadonlyMap<string, Traffic>;

/**
 * What has passed the interfaces that count. Their counters are summed once, and from then on only what each has moved is
 * added: an interface that comes or goes, or begins anew, is no traffic.
 */
export class TrafficMeter {
  private last: Counters | undefined;
  private total: Traffic = { received: 0, sent: 0 };

  constructor(private readonly read: () => Promise<Counters> = async () => countersOf()) {}

  async traffic(): Promise<Traffic> {
    const now = await this.read();
    const { last } = this;
    let { received, sent } = this.total;
    for (const [name, counters] of now) {
      const before = last ? last.get(name) : { received: 0, sent: 0 };
      if (!before) continue;
      received += moved(before.received, counters.received);
      sent += moved(before.sent, counters.sent);
    }
    this.last = now;
    this.total = { received, sent };
    return this.total;
  }
}

/** One that went down began anew from nothing. */
function moved(before: number, now: number): number {
  return now < before ? now : now - before;
}

/**
 * The physical interfaces: what passes a bridge, bond or tunnel passes one of them too, and would count twice. In a
 * container none is physical; then all but loopback count.
 */
export async function countersOf(root = ''): Promise<Counters> {
  const physical = process.platform === 'linux' ? await linuxPhysical(root) : await otherPhysical();
  const names = physical.length > 0 ? physical : withAddresses();
  return process.platform === 'linux' ? linuxCounters(root, names) : otherCounters(names);
}

function withAddresses(): string[] {
  return Object.entries(os.networkInterfaces())
    .filter(([, addresses]) => addresses?.some(({ internal }) => !internal))
    .map(([name]) => name);
}

async function linuxPhysical(root: string): Promise<string[]> {
  const folder = `${root}/sys/class/net`;
  const names = await readdir(folder).catch(() => []);
  const devices = await Promise.all(
    names.map((name) => realpath(`${folder}/${name}/device`).catch(() => undefined)),
  );
  return names.filter((_, index) => devices[index] !== undefined);
}

/** One that has gone since it was named has no counters any more. */
async function linuxCounters(root: string, names: readonly string[]): Promise<Counters> {
  const found = await Promise.all(
    names.map(async (name): Promise<[string, Traffic][]> => {
      const count = async (what: string) =>
        figure(await readFile(`${root}/sys/class/net/${name}/statistics/${what}`, 'utf8'));
      const traffic = Promise.all([count('rx_bytes'), count('tx_bytes')]).catch(() => undefined);
      const [received, sent] = (await traffic) ?? [];
      return received === undefined || sent === undefined ? [] : [[name, { received, sent }]];
    }),
  );
  return new Map(found.flat());
}

function figure(text: string): number | undefined {
  const count = Number(text.trim());
  return text.trim() !== '' && Number.isSafeInteger(count) ? count : undefined;
}

async function otherPhysical(): Promise<string[]> {
  const found = await networkInterfaces();
  return [found]
    .flat()
    .filter(({ internal, virtual }) => !internal && !virtual)
    .map(({ iface }) => iface);
}

async function otherCounters(names: readonly string[]): Promise<Counters> {
  const stats = names.length === 0 ? [] : await networkStats(names.join(','));
  return new Map(
    stats
      .filter(({ rx_bytes, tx_bytes }) => Number.isFinite(rx_bytes) && Number.isFinite(tx_bytes))
      .map(({ iface, rx_bytes, tx_bytes }) => [iface, { received: rx_bytes, sent: tx_bytes }]),
  );
}
