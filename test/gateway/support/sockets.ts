import { once } from 'node:events';

import type { Client } from 'graphql-ws';
import { onTestFinished } from 'vitest';
import { WebSocket } from 'ws';

export const inAnHour = (): string => `Bearer ${Math.floor(Date.now() / 1000) + 3600}`;

/** The code a client of the raw protocol is closed with. */
export async function closeCode(socket: WebSocket): Promise<number> {
  const [code] = (await once(socket, 'close')) as [number];
  return code;
}

export async function openRaw(url: string, payload?: Record<string, unknown>): Promise<WebSocket> {
  const socket = new WebSocket(url.replace('http', 'ws'), 'graphql-transport-ws');
  onTestFinished(() => socket.terminate());
  await once(socket, 'open');
  socket.send(JSON.stringify({ type: 'connection_init', payload }));
  return socket;
}

export async function openAcknowledged(url: string, payload?: Record<string, unknown>): Promise<WebSocket> {
  const socket = await openRaw(url, payload);
  await once(socket, 'message');
  return socket;
}

export async function first(
  client: Client,
  query: string,
  extensions?: Record<string, unknown>,
): Promise<unknown> {
  for await (const result of client.iterate({ query, extensions })) return result;
  return undefined;
}
