import type { Server } from 'node:http';

import { OperatorError } from '#platform/errors.js';
import { HttpDrain } from '#platform/http-drain.js';

import type { PanelEnv } from './env.js';
import type { Shutdown } from './shutdown.js';

/**
 * Listens where the settings say and answers the port; the server ends in the shutdown's order. The port of a
 * `former` server is taken over as it is.
 */
export async function serve(
  server: Server,
  env: Pick<PanelEnv, 'PORT' | 'HOST'>,
  shutdown: Shutdown,
  former?: Server,
): Promise<number> {
  const drain = new HttpDrain(server);
  const port = await listen(server, env, former);
  shutdown.onAnnounce(() => drain.announce());
  shutdown.add(
    'clients',
    'answering requests',
    () => drain.close(),
    () => drain.cut(),
  );
  return port;
}

/**
 * A busy port is a failure that says what to do. The port of a `former` server goes on without a gap: whoever connects
 * from now on comes to the new one, whom it came to before is answered by the former.
 */
export async function listen(
  server: Server,
  { PORT: port, HOST: host = '0.0.0.0' }: Pick<PanelEnv, 'PORT' | 'HOST'>,
  former?: Server,
): Promise<number> {
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
    const isListening = () => {
      const address = server.address();
      resolve(typeof address === 'object' && address ? address.port : port);
    };
    if (former) server.listen(former, isListening);
    else server.listen(port, host, isListening);
  });
}
