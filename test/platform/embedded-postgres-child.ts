// Started as a process of its own by embedded-postgres.test.ts, which kills it.
import { startEmbeddedPostgres } from '#platform/database/embedded-postgres.js';
import { silentLogger } from '#platform/logger.js';

const dataDir = process.argv[2]!;
const server = await startEmbeddedPostgres({ dataDir, logger: silentLogger, settings: { fsync: 'off' } });
process.stdout.write(
  `${JSON.stringify({ outcome: server.outcome, pid: server.pid(), port: server.port })}\n`,
);
setInterval(() => {}, 60_000);
