import { Router } from 'express';

import type { Hearing } from './hearing.js';

/**
 * Whether a gateway stands before this process, where that is one of its own: nodes get through to fleet by a gateway
 * only, so while none calls, their silence is not theirs. Gateways call every few seconds.
 */
export class GatewayCalls {
  private calledAt: number | undefined;

  constructor(private readonly toleranceMs: number) {}

  /** In the machine's own time, as it is about processes and not about nodes. */
  readonly isRecent = (): boolean =>
    this.calledAt !== undefined && performance.now() - this.calledAt <= this.toleranceMs;

  /** The route that they call: answered when the call counts, for gateways only. */
  router(hearing: Hearing): Router {
    const router = Router();
    router.post('/hearing', async (_request, response, next) => {
      if (response.locals['isFromGateway'] !== true) return next();
      this.calledAt = performance.now();
      await hearing.look();
      response.status(204).end();
    });
    return router;
  }
}
