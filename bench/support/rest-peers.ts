import express, { type Express, type RequestHandler } from 'express';
import { createLocalJWKSet, jwtVerify, type JSONWebKeySet, type JWTPayload } from 'jose';
import pg from 'pg';

import { panelAudience } from '#platform/auth/tokens.js';

import { freePort, panelIssuer, type Stage } from './stage.js';

export interface Peer {
  url: string;
  stop(): Promise<void>;
}

const rowsOf = (tenant: string) => `select id, name, hostname, version,
    lower(case when offline_at <= now() then 'OFFLINE' else announced_status end) as status,
    apps_count, cpu_percent, memory_percent,
    to_char(last_seen_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as last_seen
  from fleet.instance where tenant_id = ${tenant} order by id`;

/** What one would write by hand: one query, one JSON.stringify. No tokens, no limits, no row-level security. */
export async function startPlainHandler(stage: Stage, tenant: string): Promise<Peer> {
  const pool = new pg.Pool({ connectionString: stage.ownerUrl, max: 8 });
  const app = newApp();
  app.get('/api/fleet/instances', async (_request, response) => {
    const { rows } = await pool.query(rowsOf('$1'), [tenant]);
    response.json(rows);
  });
  return listen(app, pool);
}

/**
 * The same by someone who checks what the panel checks: the token's signature (once, remembered until it ends), the
 * tenant's allowance for a minute with its headers, and the tenant in the database, by role and row-level security.
 */
export async function startCheckedHandler(stage: Stage, panelUrl: string): Promise<Peer> {
  const answer = await fetch(`${panelUrl}/.well-known/jwks.json`);
  const keys = createLocalJWKSet((await answer.json()) as JSONWebKeySet);
  const pool = new pg.Pool({ connectionString: stage.url, max: 8 });
  const app = newApp();
  app.use(authenticate(keys), allow(1_000_000_000));
  app.get('/api/fleet/instances', async (_request, response) => {
    const tenant = pg.escapeLiteral(String((response.locals['claims'] as JWTPayload)['tenant']));
    const answers: unknown = await pool.query(
      `select set_config('role', 'fleet_app', true), set_config('app.tenant_id', ${tenant}, true); ${rowsOf(tenant)}`,
    );
    response.json((answers as pg.QueryResult[])[1]!.rows);
  });
  return listen(app, pool);
}

function authenticate(keys: ReturnType<typeof createLocalJWKSet>): RequestHandler {
  const verified = new Map<string, JWTPayload>();
  return async (request, response, next) => {
    const token = request.headers.authorization?.slice('Bearer '.length) ?? '';
    let claims = verified.get(token);
    if (!claims || Number(claims.exp) * 1000 < Date.now()) {
      const options = { issuer: panelIssuer, audience: panelAudience };
      claims = await jwtVerify(token, keys, options).then(
        ({ payload }) => payload,
        () => undefined,
      );
      if (!claims) return void response.status(401).json({ error: 'Authentication required' });
      verified.set(token, claims);
    }
    response.locals['claims'] = claims;
    next();
  };
}

function allow(perMinute: number): RequestHandler {
  const used = new Map<string, { count: number; resetAt: number }>();
  return (_request, response, next) => {
    const tenant = String((response.locals['claims'] as JWTPayload)['tenant']);
    const now = Math.floor(Date.now() / 1000);
    let window = used.get(tenant);
    if (!window || window.resetAt <= now) used.set(tenant, (window = { count: 0, resetAt: now + 60 }));
    window.count += 1;
    response.setHeader('X-RateLimit-Limit', perMinute);
    response.setHeader('X-RateLimit-Remaining', Math.max(0, perMinute - window.count));
    response.setHeader('X-RateLimit-Reset', window.resetAt);
    if (window.count > perMinute) response.status(429).json({ error: 'Too many requests' });
    else next();
  };
}

function newApp(): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  return app;
}

async function listen(app: Express, pool: pg.Pool): Promise<Peer> {
  const port = await freePort();
  const server = app.listen(port, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  return {
    url: `http://127.0.0.1:${port}`,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await pool.end();
    },
  };
}
