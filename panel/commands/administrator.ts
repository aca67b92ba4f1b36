import 'reflect-metadata';
import { systemClock } from '#platform/clock.js';
import { OperatorError } from '#platform/errors.js';
import { ApiKey } from '#subgraphs/identity/api-key/api-key.entity.js';
import { KeysOfMember } from '#subgraphs/identity/api-key/keys-of-member.service.js';
import { MailToken } from '#subgraphs/identity/email/mail-token.entity.js';
import { makeAdministratorLink } from '#subgraphs/identity/setup/administrator-link.job.js';
import { changeAdministrator } from '#subgraphs/identity/setup/change-administrator.job.js';
import { User } from '#subgraphs/identity/user/user.entity.js';

import { allPermissions } from '../areas.js';
import { panelEnv, publicUrlOf } from '../env.js';
import { run } from '../run.js';
import { withDatabase } from '../with-database.js';

const usage =
  'npm run administrator -- grant somebody@example.com, revoke somebody@example.com, or link somebody@example.com';

// Makes an account a platform administrator, or no longer one: for who lost the second factor, and who leaves. Or prints the
// link by which one who is locked out chooses a new password, where mail does not work.
await run(async () => {
  const [act, email, ...rest] = process.argv.slice(2);
  const isKnown = act === 'grant' || act === 'revoke' || act === 'link';
  if (!isKnown || email === undefined || rest.length > 0) throw new OperatorError(usage);
  const env = panelEnv();
  await withDatabase(env, async (open) => {
    const database = await open('identity', [User, ApiKey, MailToken]);
    if (act === 'link') {
      const publicUrl = publicUrlOf(env);
      const link = await makeAdministratorLink({ database, clock: systemClock, publicUrl }, email);
      process.stdout.write(
        `By this link ${email} chooses a new password. It is a secret: whoever opens it first has the account. It works ` +
          `once, for one hour, and those from before work no more.\n  ${link}\n`,
      );
      return;
    }
    const keys = new KeysOfMember(allPermissions);
    await changeAdministrator({ database, clock: systemClock, keys }, act, email);
    const what = act === 'grant' ? 'is a platform administrator' : 'is no platform administrator any more';
    process.stdout.write(`${email} ${what}. Whoever was signed in signs in anew.\n`);
  });
});
