import { createHash } from 'node:crypto';

import { OutboundError } from '#platform/outbound/errors.js';
import type { Outbound } from '#platform/outbound/outbound.js';

import { isSvg, svgFault } from './svg.js';

export const logoLimits = { timeoutMs: 5_000, maxBytes: 512 * 1024, maxRedirects: 3 };

export interface Logo {
  type: string;
  content: Buffer;
  sha256: string;
}

/** A logo that was fetched, one that is out of reach just now, or one that is refused with why. */
export type LogoCheck = { logo: Logo } | { outOfReach: string } | { refused: string };

/** Fetches a logo and looks at what it is, whatever its server calls it. */
export async function checkLogo(outbound: Outbound, url: string): Promise<LogoCheck> {
  try {
    const { status, body } = await outbound.fetch(url, { ...logoLimits, httpsOnly: true });
    if (status !== 200) {
      const answered = `The logo's server answered ${status}`;
      return status >= 500 || status === 429 ? { outOfReach: answered } : { refused: answered };
    }
    const type = typeOf(body);
    if (!type) return { refused: 'The logo must be a PNG, JPEG, WebP or SVG' };
    const fault = type === 'image/svg+xml' ? svgFault(body.toString('utf8')) : undefined;
    if (fault) return { refused: fault };
    return { logo: { type, content: body, sha256: createHash('sha256').update(body).digest('hex') } };
  } catch (error) {
    if (!(error instanceof OutboundError)) throw error;
    const isAway = error.reason === 'UNREACHABLE' || error.reason === 'TIMEOUT';
    return isAway ? { outOfReach: error.message } : { refused: error.message };
  }
}

function typeOf(body: Buffer): string | undefined {
  const start = body.subarray(0, 12).toString('latin1');
  if (start.startsWith('\x89PNG\r\n\x1a\n')) return 'image/png';
  if (start.startsWith('\xff\xd8\xff')) return 'image/jpeg';
  if (start.startsWith('RIFF') && start.endsWith('WEBP')) return 'image/webp';
  return isSvg(body.toString('utf8')) ? 'image/svg+xml' : undefined;
}
