import { once } from 'node:events';
import { mkdir, rm } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import path from 'node:path';

import type { AgentLogger } from './logger.js';
import { StateError } from './state-store.js';

/**
 * Holds the state in `file` for this process, as long as it runs: of two agents by one credential the panel would think that
 * the machine was copied. Throws a StateError where another one is at work. It is a socket beside the state, which nobody
 * answers any more once its process has ended, however that was; where none can be made the agent goes on without.
 */
export async function holdState(file: string, log: AgentLogger): Promise<{ release(): void }> {
  const address = `${file}.running`;
  try {
    await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
    let server = await listen(address);
    if (server === undefined) {
      if (await isAnswered(address))
        throw new StateError(`Another agent is at work with the state in ${file}`);
      await rm(address, { force: true });
      server = await listen(address);
    }
    if (server !== undefined) return { release: () => void server.close() };
    throw new StateError(`Another agent has just begun to work with the state in ${file}`);
  } catch (error) {
    if (error instanceof StateError) throw error;
    log.warn(
      { err: error, file: address },
      'It can not be known whether another agent works with this state',
    );
    return { release: () => undefined };
  }
}

/** Undefined where something lies there. */
async function listen(address: string): Promise<Server | undefined> {
  const server = createServer((socket) => socket.destroy());
  server.listen(address);
  try {
    await once(server, 'listening');
    // By itself it is no reason to stay.
    server.unref();
    return server;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') return undefined;
    throw error;
  }
}

async function isAnswered(address: string): Promise<boolean> {
  const socket = connect(address);
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
