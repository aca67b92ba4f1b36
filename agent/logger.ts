import { pino, type Logger } from 'pino';

/** The part of a pino logger that an agent uses. */
export type AgentLogger = Pick<Logger, 'debug' | 'info' | 'warn' | 'error'>;

/** JSON lines on standard error. No caller passes a token or a credential; the redaction is there for the day one does. */
export function createLogger(level: string): AgentLogger {
  return pino(
    { level, redact: { paths: ['token', '*.token', 'credential', '*.credential'], censor: '[redacted]' } },
    pino.destination({ dest: 2, sync: true }),
  );
}
