export interface PartnerTierData {
  id: string;
  name: string;
  discountPercent: number;
  minInstances: number;
  features: readonly string[];
}

/** What partners come to by the instances of their customers, the least first. */
export const partnerTiers: readonly PartnerTierData[] = [
  {
    id: 'tier_silver',
    name: 'Silver',
    discountPercent: 10,
    minInstances: 5,
    features: ['priority-support', 'co-branding'],
  },
  {
    id: 'tier_gold',
    name: 'Gold',
    discountPercent: 20,
    minInstances: 25,
    features: ['priority-support', 'co-branding', 'dedicated-account-manager'],
  },
];

/** The tier of so many instances; undefined below the first. */
export const tierFor = (instances: number): PartnerTierData | undefined =>
  partnerTiers.findLast(({ minInstances }) => instances >= minInstances);

/** The one above that; undefined at the top. */
export const tierAbove = (instances: number): PartnerTierData | undefined =>
  partnerTiers.find(({ minInstances }) => instances < minInstances);

/** Undefined for a tier that is not on offer any more, which gives nothing. */
export const tierOf = (id: string | null): PartnerTierData | undefined =>
  partnerTiers.find((tier) => tier.id === id);

const couponPrefix = 'quazzar_partner_';

/** A tier's coupon at Stripe. What it takes off can not be changed there, so another percentage is another coupon. */
export const couponOf = ({ id, discountPercent }: PartnerTierData): string =>
  `${couponPrefix}${id.replace('tier_', '')}_${discountPercent}`;

export const isPartnerCoupon = (coupon: string): boolean => coupon.startsWith(couponPrefix);

/** What one of our coupons takes off; 0 for none. */
export function percentOf(coupon: string | null): number {
  const [, percent] = /_(\d{1,3})$/.exec(coupon ?? '') ?? [];
  return Number(percent ?? 0);
}
