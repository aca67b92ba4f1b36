import { randomBytes, randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';

import type { z } from 'zod';

import type { Clock } from '#platform/clock.js';
import type { Logger } from '#platform/logger.js';

import { administrator, type Rule } from './access.js';
import { serveApi } from './http/api.js';
import { Callers } from './http/callers.js';
import { Faults, type fault } from './http/faults.js';
import { Watches } from './http/watch.js';
import { kubeconfig } from './kubeconfig.js';
import { StateFile } from './state-file.js';
import { certify } from './tls/certificates.js';
import { timeOf, type Json, type KubeObject } from './wire.js';
import type { Breakage } from './world/pods.js';
import { putNode, seed, type Node } from './world/seed.js';
import { World } from './world/world.js';

export interface KubernetesSandboxOptions {
  /** 0 takes a free one. */
  port: number;
  host?: string;
  clock: Clock;
  logger: Logger;
  /** As `v1.35.2`. */
  version?: string;
  nodes?: readonly Node[];
  /** Between two looks of the controller, and until a pod is available; 1 s unless told. */
  stepMs?: number;
  /** Between two bookmarks of a watch; a minute unless told. */
  bookmarkMs?: number;
  /** Whether connections are kept for more than one request; they are unless told. */
  keepsAlive?: boolean;
  /** Where everything is kept over a restart; nothing is kept without it. */
  stateFile?: string;
}

export interface Access {
  user?: string;
  rules?: readonly Rule[];
  /** By certificate unless told. */
  by?: 'certificate' | 'token';
  /** How long the credential is good for; a year unless told. */
  forMs?: number;
}

export interface KubernetesSandbox {
  readonly url: string;
  readonly authority: string;
  /** Lets a user in, and answers the kubeconfig by which it comes. */
  kubeconfig(access?: Access): string;
  /** A namespace of this name. */
  addNamespace(name: string): void;
  deployment(namespace: string, name: string): KubeObject | undefined;
  setNode(node: Node): void;
  setVersion(version: string): void;
  /** Pods of this image never become available, for this reason. */
  breakImage(image: string, breakage?: Breakage): void;
  /** What containers of this image have written, and what they had before they were started anew. */
  writeLog(image: string, now: string, before?: string): void;
  mendImage(image: string): void;
  addFault(one: z.input<typeof fault>): void;
  clearFaults(): void;
  /** From now on no request is answered and all connections end, as when the network is away. */
  setAway(isAway: boolean): void;
  /** What `/readyz` says is wrong; nothing when empty. */
  setUnready(problem: string): void;
  /** Connections of watches end. */
  cutWatches(): void;
  /** Tells watches an event that has no place in the world, as of an object that is none. */
  tellWatches(type: string, object: Json): void;
  /** Another cluster is at its address from now on, with the same contents. */
  becomeAnother(): void;
  /** What it has now, with its versions; the answer puts all back to that, and ends watches. */
  backup(): () => void;
  /** Watches from before now end with 410 when they are taken up again. */
  compact(): void;
  readonly openWatches: number;
  /** Requests so far by method and path, with `all` and `away`. */
  requests(): Readonly<Record<string, number>>;
  /** Tokens and certificates of a user are taken no more. */
  revoke(user: string): void;
  stop(): Promise<void>;
}

const dayMs = 86_400_000;
const authorityName = 'kubernetes-sandbox';
const defaultNodes: readonly Node[] = ['control-1', 'worker-1', 'worker-2'].map((name) => ({
  name,
  cpu: 4,
  memoryGb: 8,
  isReady: true,
  version: 'v1.35.2',
}));

/** Starts a server on loopback that speaks the Kubernetes API, for the panel, kubectl and client libraries. */
export async function startKubernetesSandbox(options: KubernetesSandboxOptions): Promise<KubernetesSandbox> {
  const { clock, logger, host = '127.0.0.1' } = options;
  const state = options.stateFile === undefined ? undefined : await StateFile.read(options.stateFile);
  const now = clock.now();
  // Those who look at certificates do so by the machine's time, which the clock may be ahead of.
  const validity = {
    from: new Date(now.getTime() - 365 * dayMs),
    until: new Date(now.getTime() + 3_650 * dayMs),
  };
  const authority =
    state?.authority ?? certify({ commonName: authorityName, usage: 'authority', ...validity });
  const signer = { ...authority, commonName: authorityName };
  const identity = certify(
    {
      commonName: 'kube-apiserver',
      names: [host, 'localhost', 'kubernetes.test'],
      usage: 'server',
      ...validity,
    },
    signer,
  );
  const world = new World(() => clock.now().getTime(), options.stepMs ?? 1_000);
  const callers = new Callers();
  if (state) {
    world.store.load(state.contents);
    for (const [name, user] of Object.entries(state.users)) callers.users.set(name, user);
    for (const [token, of] of Object.entries(state.tokens)) callers.tokens.set(token, of);
    world.wakeAll();
  } else seed(world.store, options.nodes ?? defaultNodes, timeOf(now), randomUUID);
  const file =
    options.stateFile === undefined
      ? undefined
      : new StateFile(options.stateFile, () => ({
          contents: world.store.contents,
          authority,
          users: Object.fromEntries(callers.users),
          tokens: Object.fromEntries(callers.tokens),
        }));
  world.store.onChange(() => file?.changed());
  const faults = new Faults();
  const watches = new Watches();
  const counts = new Map<string, number>();
  let gitVersion = options.version ?? 'v1.35.2';
  let isAway = false;
  let unready = '';
  const parts = {
    world,
    callers,
    faults,
    watches,
    counts,
    clock,
    bookmarkMs: options.bookmarkMs ?? 60_000,
    get version() {
      const [, major = '1', minor = '35'] = /^v(\d+)\.(\d+)/.exec(gitVersion) ?? [];
      return { major, minor, gitVersion };
    },
    isAway: () => isAway,
    unready: () => unready,
  };
  const serve = (request: IncomingMessage, response: ServerResponse) => {
    response.shouldKeepAlive &&= options.keepsAlive ?? true;
    serveApi(parts, request, response).catch((error: unknown) => {
      // Whoever leaves while it is answered is no failure.
      if (!request.socket.destroyed) logger.error({ err: error, url: request.url }, 'a request failed');
      response.destroy();
    });
  };
  const server = createServer(
    {
      cert: identity.cert,
      key: identity.key,
      ca: authority.cert,
      requestCert: true,
      rejectUnauthorized: false,
    },
    serve,
  );
  server.keepAliveTimeout = 75_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, host, resolve);
  });
  const stopped = new AbortController();
  wakeWhenDue(world, clock, stopped.signal);
  const url = `https://${host}:${(server.address() as AddressInfo).port}`;

  return {
    url,
    authority: authority.cert,
    kubeconfig({ user = 'admin', rules = administrator, by = 'certificate', forMs = 365 * dayMs } = {}) {
      callers.users.set(user, { rules, groups: [] });
      const until = new Date(clock.now().getTime() + forMs);
      const made = () => {
        if (by === 'certificate')
          return certify({ commonName: user, usage: 'client', from: validity.from, until }, signer);
        const token = tokenFor(user, until);
        callers.tokens.set(token, { user, expiresAt: until.getTime() });
        return { token };
      };
      const credential = made();
      file?.changed();
      return kubeconfig({ server: url, authority: authority.cert, user, credential });
    },
    addNamespace(name) {
      if (world.store.get('namespaces', undefined, name)) return;
      world.store.put('namespaces', {
        apiVersion: 'v1',
        kind: 'Namespace',
        metadata: { name, uid: randomUUID(), resourceVersion: '', creationTimestamp: world.time() },
        status: { phase: 'Active' },
      });
    },
    deployment(namespace, name) {
      world.settle();
      return world.store.get('deployments', namespace, name);
    },
    setNode: (node) => putNode(world.store, node, false, world.time(), randomUUID),
    setVersion: (version) => void (gitVersion = version),
    breakImage: (image, breakage = 'ImagePullBackOff') => void world.broken.set(image, breakage),
    writeLog: (image, now, before = '') => void world.logs.set(image, { now, before }),
    mendImage(image) {
      world.broken.delete(image);
      world.wakeAll();
    },
    addFault: (one) => faults.add(one),
    clearFaults: () => faults.clear(),
    setAway(away) {
      isAway = away;
      if (away) server.closeAllConnections();
    },
    setUnready: (problem) => void (unready = problem),
    cutWatches: () => watches.cut(),
    backup() {
      const contents = structuredClone(world.store.contents);
      return () => {
        world.restore(structuredClone(contents));
        watches.cut();
      };
    },
    compact: () => world.store.compact(),
    tellWatches: (type, object) => watches.tell(type, object),
    becomeAnother() {
      const system = world.store.get('namespaces', undefined, 'kube-system')!;
      world.store.put('namespaces', { ...system, metadata: { ...system.metadata, uid: randomUUID() } });
    },
    get openWatches() {
      return watches.count;
    },
    requests: () => Object.fromEntries(counts),
    revoke(user) {
      callers.users.delete(user);
      file?.changed();
    },
    async stop() {
      stopped.abort(new Error('the sandbox was stopped'));
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      watches.cut();
      server.closeAllConnections();
      await closed;
      await file?.saved();
    },
  };
}

/** A token as service accounts have them, which says itself how long it is good for. Nobody here looks at its signature. */
function tokenFor(user: string, until: Date): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const claims = {
    sub: `system:serviceaccount:kube-system:${user}`,
    exp: Math.floor(until.getTime() / 1000),
  };
  return `${part({ alg: 'ES256' })}.${part(claims)}.${randomBytes(32).toString('base64url')}`;
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
  world.store.onChange(() => queueMicrotask(look));
  look();
}
