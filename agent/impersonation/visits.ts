import { z } from 'zod';

import { elapsedBy, type Clock } from '../clock.js';
import type { AgentLogger } from '../logger.js';
import type { Outcome } from '../panel-client.js';
import { ExpiringMap } from '../sign-in/expiring-map.js';
import { SignInError } from '../sign-in/provider.js';

export const redeemAnswer = z
  .object({
    user: z.object({ id: z.string().min(1), email: z.string(), name: z.string() }),
    actor: z.string().min(1),
    reason: z.string().nullish(),
    expires_in: z.number().positive(),
  })
  .transform((raw) => ({
    user: raw.user,
    actor: raw.actor,
    reason: raw.reason ?? undefined,
    expiresInSeconds: raw.expires_in,
  }));

/** Who the panel has let in, and who is really at the browser. */
export type Visit = z.infer<typeof redeemAnswer>;

export interface VisitsOptions {
  /** Asks the panel, with the node's credential. */
  redeem: (token: string) => Promise<Outcome<Visit>>;
  clock: Clock;
  logger: AgentLogger;
}

const longestMs = 8 * 60 * 60_000;

/** Local sessions of those who come from the panel by "open in node". The panel alone says whether a token counts. */
export class Visits {
  private readonly open: ExpiringMap<Visit & { endsAt: number }>;

  constructor(private readonly options: VisitsOptions) {
    this.open = new ExpiringMap(options.clock, { lifetimeMs: longestMs, max: 10_000 });
  }

  /** Opens a session and answers its key. Throws a SignInError with the panel's words when it refuses. */
  async begin(token: string | null): Promise<string> {
    const { redeem, clock, logger } = this.options;
    if (!token) throw new SignInError('The address has no token; open the node from the panel again');
    const outcome = await redeem(token);
    if (outcome.kind !== 'ok') {
      if (outcome.kind === 'unavailable') throw new Error(outcome.message);
      throw new SignInError(
        `The panel did not let you in (${outcome.message}); open the node from there again`,
      );
    }
    const visit = outcome.answer;
    // The node's own trail names who really acts, not only whose session it is.
    logger.info({ user: visit.user.id, actor: visit.actor, reason: visit.reason }, 'Let in by the panel');
    return this.open.add({ ...visit, endsAt: elapsedBy(clock) + visit.expiresInSeconds * 1000 });
  }

  get(key: string): Visit | undefined {
    const visit = this.open.get(key);
    return visit && visit.endsAt > elapsedBy(this.options.clock) ? visit : undefined;
  }

  end(key: string): void {
    this.open.take(key);
  }
}
