import { problemOf } from '../api/problem.ts';
import { useFollowed } from '../api/use-followed.ts';
import { usePages } from '../api/use-pages.ts';
import { useRead } from '../api/use-read.ts';
import {
  PartnerChangedDocument,
  PartnerTierChangesDocument,
  PartnerTiersDocument,
} from '../generated/graphql.ts';
import { Listing } from '../parts/listing.tsx';
import { Time } from '../parts/time.tsx';
import { plural } from '../parts/words.ts';

const whys = {
  INSTANCES: 'by its instances',
  APPROVED: 'as it was approved',
  SUSPENDED: 'as it was suspended',
};

/** From when on it had which tier, and why, newest first. */
export function TierChanges({ partnerId }: { partnerId: string }) {
  const tiers = useRead(PartnerTiersDocument);
  const { rows, error, hasMore, more, reload } = usePages(
    PartnerTierChangesDocument,
    { partnerId },
    ({ partnerTierChanges }) => partnerTierChanges,
  );
  useFollowed(PartnerChangedDocument, { partnerId }, reload);
  const names = new Map(tiers.data?.partnerTiers.map(({ id, name }) => [id, name]));
  const nameOf = (id: string | null) => (id === null ? 'none' : (names.get(id) ?? id));
  return (
    <Listing
      title="Tiers that it had"
      rows={rows}
      told={error && problemOf(error)}
      retry={reload}
      more={hasMore ? more : undefined}
      empty="It has had none yet. The first comes with enough instances, once it is approved."
      keyOf={({ id }) => id}
      render={({ fromTier, toTier, instances, reason, changedAt }) => (
        <div>
          {nameOf(fromTier)} → <strong>{nameOf(toTier)}</strong> {whys[reason]}, with{' '}
          {plural(instances, 'instance')} <Time at={changedAt} />
        </div>
      )}
    />
  );
}
