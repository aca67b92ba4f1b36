import type { PartnerChanged } from '#schema/events.js';

export interface PartnerMail {
  to: 'ADMINISTRATORS' | 'MANAGERS';
  subject: string;
  text: string;
}

/** Who has registered, as the panel knows it: a partner's name and address are words of whoever that is. */
export interface Registrant {
  tenantId: string;
  tenantName: string;
  owners: readonly string[];
}

/** What is written about a partner that has changed; undefined where nobody is to be told. */
export function partnerMail(
  facts: PartnerChanged,
  publicUrl: string,
  { tenantId, tenantName, owners }: Registrant,
): PartnerMail | undefined {
  const { partnerId, status, fromStatus, tier, fromTier } = facts;
  // Told by a process of the version before, which says less.
  if (facts.name === undefined) return undefined;
  const link = `${publicUrl}/partners/${partnerId}`;
  const mail = (to: PartnerMail['to'], subject: string, words: string): PartnerMail => ({
    to,
    subject,
    text: `${words}\n\nSee ${link}.\n`,
  });
  if (fromStatus === null)
    return mail(
      'ADMINISTRATORS',
      'A partner has registered',
      `${nameOf(facts)} wants to be a partner. You decide on it.\n\n` +
        `It was registered by the organization ${quoted(tenantName)} (${tenantId}), owned by ${owners.join(', ')}. ` +
        'Make sure that they are who they say.',
    );
  if (fromStatus !== status) return mail('MANAGERS', ...decided(facts));
  if (fromTier !== tier) return mail('MANAGERS', ...retiered(facts));
  return undefined;
}

/** As it was registered, by anybody: on one line, and not to be taken for words of the panel. */
const nameOf = ({ name = '' }: PartnerChanged): string => quoted(name);

const quoted = (name: string): string => `"${name.replaceAll(/\s+/g, ' ')}"`;

type Written = [subject: string, words: string];

function decided(facts: PartnerChanged): Written {
  const { status } = facts;
  const name = nameOf(facts);
  if (status === 'APPROVED')
    return ['You are a partner', `${name} is approved as a partner. ${terms(facts)}`];
  if (status === 'REJECTED')
    return ['Your registration as a partner was turned down', `${name} was not approved as a partner.`];
  return [
    'You are suspended as a partner',
    `${name} is suspended as a partner: it has no tier, no discount and no commission until it is approved again.`,
  ];
}

function retiered(facts: PartnerChanged): Written {
  const { tier, tierName } = facts;
  const subject = tier === null ? 'Your partner tier has ended' : `Your partner tier is ${tierName}`;
  return [subject, `The tier of ${nameOf(facts)} follows from its instances. ${terms(facts)}`];
}

function terms({ tierName, instances, discountPercent }: PartnerChanged): string {
  const has = `With ${instances} instances of its customers and its own it has`;
  return tierName == null
    ? `${has} no tier yet.`
    : `${has} the tier ${tierName}: what its customers pay is ${discountPercent} % less from the next invoice on.`;
}
