import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import type { Clock } from '#platform/clock.js';
import type { Logger } from '#platform/logger.js';

import { serveControl } from './control.js';
import type { Dialect } from './dialect.js';
import { serveApi, type Exchange } from './http/api.js';
import { Faults, fault, type Fault } from './http/faults.js';
import { Router } from './http/router.js';
import type { Extra, Project, Server, Token } from './kept.js';
import { Machines, type Boot } from './machines.js';
import { StateFile } from './state-file.js';
import { defaultTiming, World, type Timing } from './world.js';

export interface CloudSandboxOptions {
  /** 0 takes a free one. */
  port: number;
  host?: string;
  clock: Clock;
  logger: Logger;
  timing?: Partial<Timing>;
  /** As many as the provider lets a project or a token make, unless told. */
  requestsAnHour?: number;
  /** What servers run once they are on. */
  boot?: Boot;
  /** Where everything is kept over a restart; nothing is kept without it. */
  stateFile?: string;
  /** Told of each request and its answer. */
  observe?: (exchange: Exchange) => void;
}

export interface CloudSandbox {
  /** For drivers, with the API's version. */
  readonly url: string;
  /** Makes a token of a project, as a person does in the provider's console. */
  token(of?: Partial<Token>): string;
  /** As when it was deleted there. */
  revoke(token: string): void;
  /** Servers of a token's project as they are now. */
  servers(token: string): readonly Server[];
  /** As a person does in the provider's console: what is deleted so is gone at once. */
  removeServer(token: string, name: string): void;
  /** As a person does there, who attaches something to a server. */
  attach(token: string, name: string, extra: Pick<Extra, 'kind' | 'name'>): void;
  /** As a person does there, who has a server's address stay when the server is deleted. */
  keepAddress(token: string, name: string): void;
  addFault(fault: Partial<Fault> & Pick<Fault, 'kind'>): void;
  clearFaults(): void;
  /** `size`, or `size@location`. */
  sellOut(...sizes: string[]): void;
  restock(): void;
  /** Requests so far by route, with `all` and `refused` (for their rate). */
  requests(): Readonly<Record<string, number>>;
  stop(): Promise<void>;
}

/** Starts a server on loopback that speaks the API of a provider of servers. */
export async function startCloudSandbox(
  dialect: Dialect,
  options: CloudSandboxOptions & { requestsAnHour: number },
): Promise<CloudSandbox> {
  const { clock, logger, host = '127.0.0.1', observe } = options;
  const world = new World({ ...defaultTiming, ...options.timing }, options.requestsAnHour, () => clock.now());
  const file = options.stateFile === undefined ? undefined : new StateFile(options.stateFile, world);
  await file?.load();
  const faults = new Faults();
  const counts = new Map<string, number>();
  const router = new Router(dialect.routes);
  const machines = options.boot && new Machines(world, options.boot, logger);
  for (const { servers } of Object.values(world.contents.projects))
    for (const server of servers) if (server.status === 'running') machines?.start(server);
  const saved = async () => file?.saved();

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const isControl = (request.url ?? '').startsWith('/_sandbox/');
    if (isControl) await serveControl({ world, faults, counts }, request, response);
    else await serveApi({ dialect, router, world, faults, counts, saved, observe }, request, response);
  };
  const server = createServer({ keepAliveTimeout: 75_000, headersTimeout: 80_000 }, (request, response) => {
    handle(request, response).catch((error: unknown) => {
      logger.error({ err: error, url: request.url }, 'a request failed');
      response.destroy();
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, host, resolve);
  });
  const stopped = new AbortController();
  wakeWhenDue(world, clock, stopped.signal);
  const projectOf = (token: string) => world.project(world.contents.tokens[token]!.project);

  return {
    url: `http://${host}:${(server.address() as AddressInfo).port}${dialect.prefix}`,
    token({ project = randomBytes(6).toString('hex'), access = 'read-write', ...more } = {}) {
      const secret = randomBytes(32).toString('hex');
      world.addToken(secret, { project, access, ...more });
      return secret;
    },
    revoke: (token) => world.removeToken(token),
    servers: (token) => {
      world.settle();
      return projectOf(token).servers;
    },
    removeServer(token, name) {
      const project = projectOf(token);
      const found = serverOf(project, name);
      project.servers = project.servers.filter((each) => each !== found);
      world.power(found, '', false);
      world.changed();
    },
    attach(token, name, extra) {
      const project = projectOf(token);
      const { id: serverId, location } = serverOf(project, name);
      const made = { ...extra, id: world.newId(), serverId, location, created: world.stamp() };
      project.extras = [...(project.extras ?? []), made];
      world.changed();
    },
    keepAddress(token, name) {
      serverOf(projectOf(token), name).keepsAddress = true;
      world.changed();
    },
    addFault: (one) => faults.add(fault.parse(one)),
    clearFaults: () => faults.clear(),
    sellOut: (...sizes) => sizes.forEach((size) => world.soldOut.add(size)),
    restock: () => world.soldOut.clear(),
    requests: () => Object.fromEntries(counts),
    async stop() {
      stopped.abort(new Error('the sandbox was stopped'));
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
      await machines?.stop();
      await saved();
    },
  };
}

function serverOf({ servers }: Project, name: string): Server {
  const found = servers.find((each) => each.name === name);
  if (!found) throw new Error(`there is no server ${name}`);
  return found;
}

/** Lets happen what is due by the clock, also when nobody asks. */
function wakeWhenDue(world: World, clock: Clock, signal: AbortSignal): void {
  let wakesAt = Infinity;
  const look = () => {
    const at = world.nextAt();
    if (at >= wakesAt || signal.aborted) return;
    wakesAt = at;
    clock.delay(Math.max(0, at - world.now()), signal).then(
      () => {
        wakesAt = Infinity;
        world.settle();
        look();
      },
      () => undefined,
    );
  };
  world.onChange(look);
  look();
}
