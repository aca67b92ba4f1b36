import { problemOf } from '../api/problem.ts';
import { usePages } from '../api/use-pages.ts';
import { TenantErasuresDocument, type TenantErasuresQuery } from '../generated/graphql.ts';
import { Download } from '../parts/download.tsx';
import { Listing } from '../parts/listing.tsx';
import { Time } from '../parts/time.tsx';

type Erasure = TenantErasuresQuery['tenantErasures']['nodes'][number];

/** What became of clients that were deleted, with what they had while that is kept. */
export function ErasedClients() {
  const { rows, error, hasMore, more, reload } = usePages(
    TenantErasuresDocument,
    {},
    ({ tenantErasures }) => tenantErasures,
  );
  return (
    <Listing
      title="Erased clients"
      rows={rows}
      told={error && problemOf(error)}
      retry={reload}
      more={hasMore ? more : undefined}
      empty="None was erased."
      keyOf={({ id }) => id}
      render={(erasure) => <ErasedLine erasure={erasure} />}
    />
  );
}

function ErasedLine({ erasure: { id, clientId, clientName, startedAt, completedAt } }: { erasure: Erasure }) {
  return (
    <>
      <div>
        <strong>{clientName}</strong> <code>{clientId}</code>
        <p className="quiet">
          {completedAt ? (
            <>
              Erased <Time at={completedAt} />. What it had is kept for 30 days after that.
            </>
          ) : (
            <>
              Being erased since <Time at={startedAt} />
            </>
          )}
        </p>
      </div>
      {completedAt && (
        <div className="actions">
          <Download
            path={`/msp/exports/${id}`}
            name={`${clientId}.ndjson`}
            text="Save what it had"
            label={`Save what it had: ${clientName}`}
          />
        </div>
      )}
    </>
  );
}
