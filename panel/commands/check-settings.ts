import { OperatorError } from '#platform/errors.js';

import { run } from '../run.js';
import { checks } from '../settings.js';

const programs = Object.keys(checks) as (keyof typeof checks)[];

// Reads the environment as a program's start does, and says all that is wrong: starts, connects to and makes nothing.
await run(async () => {
  const [asked = 'panel', ...rest] = process.argv.slice(2);
  const program = programs.find((name) => name === asked);
  if (program === undefined || rest.length > 0)
    throw new OperatorError(
      `npm run check-settings, or npm run check-settings -- one of ${programs.join(', ')}`,
    );
  for (const warning of checks[program](process.env)) process.stderr.write(`Warning: ${warning}.\n`);
  process.stdout.write(`The settings are in order (${program}).\n`);
});
