import type { PartnerRowFragment } from '../generated/graphql.ts';
import { plural } from '../parts/words.ts';

/** How far a partner is from the tiers beside its own. */
export function Outlook({ outlook }: Pick<PartnerRowFragment, 'outlook'>) {
  const { nextTier, instancesMissing, lowerTier, instancesToSpare } = outlook;
  return (
    <>
      {nextTier && instancesMissing !== null && (
        <p>
          {plural(instancesMissing, 'instance')} more for {nextTier.name} ({nextTier.discountPercent} % off).
        </p>
      )}
      {lowerTier && instancesToSpare !== null && (
        <p>
          {plural(instancesToSpare, 'instance')} to spare before {lowerTier.name}.
        </p>
      )}
    </>
  );
}
