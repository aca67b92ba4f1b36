import http from 'node:http';
import https from 'node:https';

import { EnvHttpProxyAgent, Pool, fetch as fetchBy, type buildConnector, type Dispatcher } from 'undici';

/** Through which forward proxies a node reaches others, as its environment has it; without any it goes directly. */
export interface Proxies {
  /** For http addresses. */
  readonly http?: string | undefined;
  /** For https addresses. */
  readonly https?: string | undefined;
  /** Names and addresses, by commas, that are reached directly. */
  readonly noProxy?: string | undefined;
}

/** How calls go out. */
export interface Ways {
  readonly fetch: typeof fetch;
  /** For WebSockets to the panel; they go directly without it. */
  readonly socketAgent?: http.Agent;
}

/** Shorter than the patience with the panel, so that it is told which of the two does not answer. */
const patienceMs = 10_000;

/** A proxy's address without the name and password in it. */
export function shown(proxy: string): string {
  return new URL(proxy).origin;
}

/** The ways out through these proxies: calls by undici, WebSockets by Node's own agents. */
export function waysThrough(
  proxies: Proxies,
  { panelUrl, answerWithinMs = patienceMs }: { panelUrl: string; answerWithinMs?: number },
): Ways {
  if (proxies.http === undefined && proxies.https === undefined) return { fetch };
  const through = (proxy: string | undefined) => dispatcherThrough(proxy, proxies.noProxy, answerWithinMs);
  // One each: by itself undici sends https through the proxy that is for http, as curl does not.
  const dispatchers = { 'http:': through(proxies.http), 'https:': through(proxies.https) };
  const call = async (target: URL | string, init: object) => {
    const protocol = new URL(target).protocol === 'https:' ? 'https:' : 'http:';
    return fetchBy(target, { ...init, dispatcher: dispatchers[protocol] });
  };
  return { fetch: call as typeof fetch, socketAgent: socketAgentThrough(proxies, panelUrl) };
}

function dispatcherThrough(proxy = '', noProxy = '', answerWithinMs: number): Dispatcher {
  // An empty word is none; of an absent one undici would ask the environment.
  const settings = { httpProxy: proxy, httpsProxy: proxy, noProxy, connectTimeout: answerWithinMs };
  if (proxy === '') return new EnvHttpProxyAgent(settings);
  return new EnvHttpProxyAgent({
    ...settings,
    clientFactory: (origin, options) =>
      tunnelling(new Pool(origin, { ...options, headersTimeout: answerWithinMs }), proxy),
    // Calls of plain http need no tunnel: for them a connection to the proxy stands for one to the panel.
    factory: (origin, options) =>
      new Pool(origin, new URL(origin).host === new URL(proxy).host ? reaching(options, proxy) : options),
  });
}

/** Asks the proxy for tunnels, and says of the proxy what would else sound as if the panel had failed. */
function tunnelling(pool: Pool, proxy: string): Dispatcher {
  const ask = pool.connect.bind(pool) as (
    request: Dispatcher.ConnectOptions,
  ) => Promise<Dispatcher.ConnectData>;
  const connect = async (request: Dispatcher.ConnectOptions) => {
    const answer = await ask(request).catch((error: unknown) => {
      throw unreachable(proxy, error);
    });
    const { statusCode, socket } = answer;
    if (statusCode === 200) return answer;
    socket.on('error', () => undefined).destroy();
    throw new Error(`the proxy ${shown(proxy)} answered ${statusCode}${hint(proxy, statusCode)}`);
  };
  return Object.assign(pool, { connect });
}

function reaching(options: { connect?: buildConnector.connector }, proxy: string): object {
  const { connect } = options;
  if (connect === undefined) return options;
  const told: buildConnector.connector = (to, callback) =>
    connect(to, (error, socket) =>
      error ? callback(unreachable(proxy, error), null) : callback(null, socket!),
    );
  return { ...options, connect: told };
}

function unreachable(proxy: string, error: unknown): Error {
  const reason = error instanceof Error ? error.message || error.name : String(error);
  const isSilent = error instanceof Error && 'code' in error && error.code === 'UND_ERR_HEADERS_TIMEOUT';
  // No cause: whoever digs for the first of all would lose the proxy's name.
  return new Error(
    `the proxy ${shown(proxy)} ${isSilent ? 'does not answer' : `can not be reached: ${reason}`}`,
  );
}

function hint(proxy: string, statusCode: number): string {
  if (statusCode !== 407) return ', and lets nothing through to the panel';
  const isNamed = new URL(proxy).username !== '';
  return isNamed
    ? ': it does not take the name and password that it is given'
    : ': it asks for a name and password';
}

function socketAgentThrough(proxies: Proxies, panelUrl: string): http.Agent {
  const { protocol, port } = new URL(panelUrl);
  const ofPanel = port || (protocol === 'https:' ? '443' : '80');
  const NO_PROXY = proxies.noProxy
    ?.split(/[,\s]+/)
    .flatMap((entry) => asNodeHasIt(entry, ofPanel))
    .join(',');
  const proxyEnv = { HTTP_PROXY: proxies.http, HTTPS_PROXY: proxies.https, NO_PROXY };
  return protocol === 'https:' ? new https.Agent({ proxyEnv }) : new http.Agent({ proxyEnv });
}

/**
 * To undici, as to curl, a name stands for what is below it too; to Node's agents it does with a dot before it, and never
 * with a port.
 */
function asNodeHasIt(entry: string, panelPort: string): string[] {
  const [, name = entry, port = panelPort] = /^([^:]+):(\d+)$/.exec(entry) ?? [];
  if (port !== panelPort) return [];
  return [/^[A-Za-z\d][\w.-]*$/.test(name) ? `.${name}` : name];
}
