import { Router } from 'express';

export interface Health {
  /** What keeps the process from serving; empty when it can. */
  problems: () => Promise<readonly string[]>;
  /** What is wrong without keeping it from that. */
  warnings?: () => readonly string[];
  /** Whether only a new start can help. What passes by itself, as an outage of the database, is no such thing. */
  isBroken?: () => boolean;
}

/** GET /healthz, which says whether to restart the process, and GET /readyz, which says whether to send it requests. */
export function createHealthRouter({
  problems,
  warnings = () => [],
  isBroken = () => false,
}: Health): Router {
  const router = Router();
  router.get('/healthz', (_request, response) => {
    if (isBroken()) response.status(503).json({ status: 'broken' });
    else response.json({ status: 'ok' });
  });
  router.get('/readyz', async (_request, response) => {
    const found = await problems();
    const told = warnings();
    const more = told.length > 0 ? { warnings: told } : {};
    if (found.length > 0) response.status(503).json({ status: 'not ready', problems: found, ...more });
    else response.json({ status: 'ready', ...more });
  });
  return router;
}
