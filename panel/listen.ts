import type { Server } from 'node:http';

import { OperatorError } from '#platform/errors.js';

const drainMs = 10_000;

/** Listens and answers the port; a busy one is a failure that says what to do. */
export async function listen(server: Server, port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(
        error.code === 'EADDRINUSE'
          ? new OperatorError(`Port ${port} is in use. Stop what listens there, or set PORT to another.`, {
              cause: error,
            })
          : error,
      );
    });
    server.listen(port, host, () => {
      const address = server.address();
      resolve(typeof address === 'object' && address ? address.port : port);
    });
  });
}

/** No new connections; requests under way get a while to finish. */
export async function drain(server: Server): Promise<void> {
  await new Promise<void>((resolve) => {
    const cut = setTimeout(() => server.closeAllConnections(), drainMs);
    server.close(() => {
      clearTimeout(cut);
      resolve();
    });
    server.closeIdleConnections();
  });
}
