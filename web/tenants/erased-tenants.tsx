import { problemOf } from '../api/problem.ts';
import { usePages } from '../api/use-pages.ts';
import { ClosedTenantErasuresDocument } from '../generated/graphql.ts';
import { ErasedLine } from '../parts/erased-line.tsx';
import { Listing } from '../parts/listing.tsx';

/** What became of organizations that were closed, with what they had while that is kept. */
export function ErasedTenants() {
  const { rows, error, hasMore, more, reload } = usePages(
    ClosedTenantErasuresDocument,
    {},
    ({ closedTenantErasures }) => closedTenantErasures,
  );
  return (
    <Listing
      title="Erased organizations"
      rows={rows}
      told={error && problemOf(error)}
      retry={reload}
      more={hasMore ? more : undefined}
      empty="None was erased."
      keyOf={({ id }) => id}
      render={(erasure) => <ErasedLine erasure={erasure} exports="/account/erased" />}
    />
  );
}
