import { isPassing, sqlCodeOf } from '#platform/database/outage.js';
import { OperatorError } from '#platform/errors.js';

/** Who is not let in, or asks for a database that is not there: time mends neither. */
const refused = /^(28|3D000)/;

/**
 * Looks by way of the address in a setting. Where nobody answers there, it says so in words that name the setting and the
 * place, and neither user nor password; one that refuses what the address asks for ends the start with such words.
 */
export async function reached(
  setting: string,
  url: string,
  look: () => Promise<void>,
): Promise<string | undefined> {
  try {
    await look();
    return undefined;
  } catch (error) {
    const problem = `${setting}: ${placeOf(url)} ${saidIn(error)}`;
    if (refused.test(sqlCodeOf(error))) throw new OperatorError(problem, { cause: error });
    if (!isPassing(error)) throw error;
    return problem;
  }
}

/** Of `postgresql://` addresses without a port PostgreSQL's own is meant, and a host in the query is a socket's folder. */
function placeOf(text: string): string {
  const url = new URL(text);
  const host = decodeURIComponent(url.hostname) || url.searchParams.get('host') || 'localhost';
  return `${host}:${url.port || '5432'}`;
}

function saidIn(error: unknown): string {
  const code = sqlCodeOf(error);
  // Of a name with several addresses each attempt has its own words, and together they have none.
  const words = error instanceof Error && error.message !== '' ? error.message : code;
  return refused.test(code) ? `lets nobody in: ${words}` : `does not answer: ${words}`;
}
