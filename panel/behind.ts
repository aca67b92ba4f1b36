import type { MissingSteps } from '#platform/database/missing-steps.js';
import { OperatorError } from '#platform/errors.js';

/** Looks what the database lacks of this version. */
export type Look = () => Promise<readonly MissingSteps[]>;

/** What a process does that may not migrate the database itself. */
export type WhenBehind = (look: Look) => Promise<void>;

/** For commands: somebody waits for them, and starts them again. */
export const endWhenBehind: WhenBehind = async (look) => {
  const missing = await look();
  if (missing.length > 0) throw new OperatorError(inWords(missing));
};

const mostNamed = 3;

/** What is missing and what helps, as one sentence. */
export function inWords(missing: readonly MissingSteps[]): string {
  const parts = missing.map(({ area, steps }) => {
    const more = steps.length - mostNamed;
    return `${area} ${steps.slice(0, mostNamed).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
  });
  return (
    `the database is older than this version, and lacks the migrations ${parts.join('; ')}: run "npm run migrate" of this ` +
    'version (node dist/panel/migrate.js) with DATABASE_OWNER_URL, or start a process that has it'
  );
}
