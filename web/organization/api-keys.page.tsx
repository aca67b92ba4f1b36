import { problemOf } from '../api/problem.ts';
import { usePages } from '../api/use-pages.ts';
import { ApiKeysDocument, RevokeApiKeyDocument } from '../generated/graphql.ts';
import { Action } from '../parts/action.tsx';
import { Listing } from '../parts/listing.tsx';
import { Page } from '../parts/page.tsx';
import { exactDay, Time } from '../parts/time.tsx';
import { NewApiKey } from './new-api-key.tsx';

/** Secrets by which programs act in the organization. */
export default function ApiKeysPage() {
  const { rows, error, hasMore, more, reload } = usePages(ApiKeysDocument, {}, ({ apiKeys }) => apiKeys);
  return (
    <Page title="API keys">
      <div className="cards">
        <NewApiKey onMade={reload} />
        <Listing
          title="Keys"
          rows={rows}
          told={error && problemOf(error)}
          retry={reload}
          more={hasMore ? more : undefined}
          empty="There is none yet. Make the first one above."
          keyOf={({ id }) => id}
          render={({ id, name, prefix, permissions, expiresAt, lastUsedAt, revokedAt }) => (
            <>
              <div>
                <strong>{name}</strong> <code>{prefix}…</code>
                <p className="quiet">
                  {revokedAt ? `Revoked ${exactDay(revokedAt)}` : `Good until ${exactDay(expiresAt)}`}, last
                  used <Time at={lastUsedAt} />
                </p>
                <p className="quiet">{permissions.join(', ')}</p>
              </div>
              {revokedAt === null && (
                <Action
                  document={RevokeApiKeyDocument}
                  variables={{ id }}
                  text="Revoke"
                  label={`Revoke ${name}`}
                  confirm="Programs that use it are refused from then on. It can not be taken back."
                  done={`${name} is revoked.`}
                  onDone={reload}
                />
              )}
            </>
          )}
        />
      </div>
    </Page>
  );
}
