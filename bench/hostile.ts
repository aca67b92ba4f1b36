import { Agent, request } from 'node:http';

import { onCpuMs, residentMb } from './support/cpu.js';
import { credentialsOf, instanceId, registerTenant, seedInstances, settle } from './support/fleet.js';
import { hostileRequests, type HostileRequest } from './support/hostile-requests.js';
import { fixed, publish } from './support/report.js';
import { build, openStage } from './support/stage.js';

/** Bytes below the 1 MiB that is read, and sizes at which what is of no use to anybody is refused for another reason. */
const sizes = [4_000, 30_000, 250_000, 1_000_000] as const;
const repeats = 7;
const instances = 100;
const worstRefused = 10;
const worstAccepted = 100;

const differentDocuments = 1_250;
/** 8.6 kB, of which no two are the same. */
const manyFields = (salt: number): string =>
  Array.from(
    { length: 20 },
    (_, n) =>
      `a${n}_${salt}: instances(first: 1, filter: { q: "${'y'.repeat(240)}" }) { nodes { id name hostname version status tags cpuPercent memoryPercent enrolledAt lastSeen activeAlerts { id status message } } totalCount }`,
  ).join(' ');

const yardsticks: Record<'plain' | 'read', HostileRequest> = {
  plain: {
    name: 'plain',
    as: 'user',
    path: '/graphql',
    method: 'POST',
    make: () => JSON.stringify({ query: '{ __typename }' }),
  },
  read: {
    name: 'read',
    as: 'user',
    path: '/graphql',
    method: 'POST',
    make: (size) => 'x'.repeat(size),
  },
};

interface Found {
  name: string;
  size: number;
  status: number;
  isAccepted: boolean;
  cpuMs: number;
}

/** R9: the CPU time that one request takes of the panel, over requests made to take much of it. */
export async function hostileBench(): Promise<void> {
  build();
  const stage = await openStage();
  try {
    const panel = await stage.panel();
    const tenant = await registerTenant(panel.url);
    await seedInstances(stage, tenant.tenantId, 0, instances);
    await settle(stage);
    const [credential] = await credentialsOf(stage, [{ tenantId: tenant.tenantId, id: instanceId(1) }]);
    const tokens = { nobody: undefined, user: tenant.token, node: credential };
    const agent = new Agent({ keepAlive: true });

    const measure = async (hostile: HostileRequest, size: number): Promise<Found> => {
      const taken: number[] = [];
      let last = { status: 0, isAccepted: false };
      for (let repeat = 0; repeat < repeats; repeat += 1) {
        const made = hostile.make(size, `s${size}r${repeat}`);
        const before = onCpuMs(panel.pid);
        last = await send(agent, panel.url, hostile, tokens[hostile.as], made);
        taken.push(onCpuMs(panel.pid) - before);
      }
      return { name: hostile.name, size, ...last, cpuMs: Math.min(...taken) };
    };
    // A process that has just started compiles as it goes.
    for (let n = 0; n < 2; n += 1) for (const hostile of hostileRequests) await measure(hostile, 4_000);
    const found: Found[] = [];
    for (const hostile of hostileRequests) for (const size of sizes) found.push(await measure(hostile, size));

    // What the machine itself takes for a request, and for a megabyte that is read and dropped.
    const [plain, read] = [await measure(yardsticks.plain, 100), await measure(yardsticks.read, 1_000_000)];
    const before = residentMb(panel.pid);
    for (let n = 0; n < differentDocuments; n += 1) {
      for (const as of ['nobody', 'user'] as const) {
        const long = `query Q${n} { ${manyFields(n)} }`;
        await send(agent, panel.url, yardsticks.plain, tokens[as], JSON.stringify({ query: long }));
      }
    }
    const after = residentMb(panel.pid);

    const worst = (isAccepted: boolean) =>
      found.filter((one) => one.isAccepted === isAccepted).toSorted((a, b) => b.cpuMs - a.cpuMs);
    const refused = worst(false);
    const accepted = worst(true);
    const told = ({ name, size }: Found) => `${name} (${size} bytes)`;
    publish({
      name: 'hostile',
      setup: `${found.length} requests, ${refused.length} of them refused, each ${repeats} times, one at a time, never the same twice; CPU time of the panel's process, the least: other work on the machine only adds to it`,
      figures: [
        ...refused.slice(0, 6).map((one, at) => ({
          what: `refused: ${told(one)}`,
          value: `${fixed(one.cpuMs, 1)} ms`,
          ...(at === 0 ? { target: `<= ${worstRefused} ms`, isMet: one.cpuMs <= worstRefused } : {}),
        })),
        ...accepted.slice(0, 6).map((one, at) => ({
          what: `accepted: ${told(one)}`,
          value: `${fixed(one.cpuMs, 1)} ms`,
          ...(at === 0 ? { target: `<= ${worstAccepted} ms`, isMet: one.cpuMs <= worstAccepted } : {}),
        })),
        { what: 'yardstick: { __typename }', value: `${fixed(plain.cpuMs, 1)} ms` },
        { what: 'yardstick: a body of a megabyte that is no JSON', value: `${fixed(read.cpuMs, 1)} ms` },
        {
          what: `memory after ${differentDocuments} different documents each of nobody and a user (before)`,
          value: `${after} MB (${before})`,
        },
      ],
      details: { found },
    });
    agent.destroy();
  } finally {
    await stage.stop();
  }
}

function send(
  agent: Agent,
  url: string,
  { path, method }: HostileRequest,
  token: string | undefined,
  made: string,
): Promise<{ status: number; isAccepted: boolean }> {
  const headers = {
    ...(method === 'POST'
      ? { 'content-type': 'application/json', 'content-length': Buffer.byteLength(made) }
      : {}),
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
  };
  return new Promise((resolve, reject) => {
    const sent = request(url + (method === 'GET' ? `${path}?${made}` : path), { agent, method, headers });
    sent.on('error', reject);
    sent.on('response', (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (text += chunk));
      response.on('error', reject);
      response.on('end', () => {
        const status = response.statusCode ?? 0;
        resolve({ status, isAccepted: status < 300 && !text.startsWith('{"errors"') });
      });
    });
    sent.end(method === 'POST' ? made : undefined);
  });
}
