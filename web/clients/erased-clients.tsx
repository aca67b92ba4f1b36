import { problemOf } from '../api/problem.ts';
import { usePages } from '../api/use-pages.ts';
import { TenantErasuresDocument } from '../generated/graphql.ts';
import { ErasedLine } from '../parts/erased-line.tsx';
import { Listing } from '../parts/listing.tsx';

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
      render={(erasure) => <ErasedLine erasure={erasure} exports="/msp/exports" />}
    />
  );
}
