import type { MissingSteps } from '#platform/database/missing-steps.js';
import { OperatorError } from '#platform/errors.js';

/** Looks why the database cannot be begun with yet, in words; undefined when it can. */
export type Look = () => Promise<string | undefined>;

/** What a process does whose database is not there, or older than it, and that cannot change it. */
export type WhenBehind = (look: Look) => Promise<void>;

/** For commands: somebody waits for them, and starts them again. */
export const endWhenBehind: WhenBehind = async (look) => {
  const problem = await look();
  if (problem !== undefined) throw new OperatorError(problem);
};

const mostNamed = 3;

/** What is missing and what helps, as one sentence; undefined where nothing is. */
export function inWords(missing: readonly MissingSteps[]): string | undefined {
  if (missing.length === 0) return undefined;
  const parts = missing.map(({ area, steps }) => {
    const more = steps.length - mostNamed;
    return `${area} ${steps.slice(0, mostNamed).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
  });
  return (
    `the database is older than this version, and lacks the migrations ${parts.join('; ')}: run "npm run migrate" of this ` +
    'version (node dist/panel/migrate.js) with DATABASE_OWNER_URL, or start a process that has it'
  );
}
