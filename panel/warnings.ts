import pg from 'pg';

import { publicUrlOf, type DatabaseEnv, type PanelEnv } from './env.js';

const addresses = ['DATABASE_URL', 'DATABASE_OWNER_URL', 'DATABASE_DIRECT_URL', 'DATABASE_READ_URL'] as const;

/** Names the addresses that ask for TLS and take any certificate for the server's, as pg reads them; tells no values. */
export function tlsWarnings(env: Pick<DatabaseEnv, (typeof addresses)[number]>): string[] {
  const unverified = addresses.filter((name) => env[name] !== undefined && takesAnybody(env[name]));
  if (unverified.length === 0) return [];
  return [
    `${unverified.join(', ')}: TLS to PostgreSQL is asked for without looking at whose certificate it is, so whoever is in ` +
      'between reads and changes all of it, the password too: use sslmode=verify-full, with sslrootcert where the authority ' +
      'is your own',
  ];
}

/** Where the panel is somebody's, and would call itself localhost. */
export function publicUrlWarnings(env: Pick<PanelEnv, 'DATABASE_URL' | 'PUBLIC_URL' | 'PORT'>): string[] {
  if (env.DATABASE_URL === undefined || env.PUBLIC_URL !== undefined) return [];
  return [
    `PUBLIC_URL is not set: the links in mails, the issuer of tokens and what nodes are told are ${publicUrlOf(env)}, ` +
      'which is this machine alone. Set it before people sign in: with another address they sign in anew',
  ];
}

function takesAnybody(connectionString: string): boolean {
  // By its types it is whether there is TLS; it is also how.
  const { ssl } = new pg.Client({ connectionString }) as unknown as { ssl: unknown };
  return typeof ssl === 'object' && (ssl as { rejectUnauthorized?: boolean }).rejectUnauthorized === false;
}
