import { z } from 'zod';

import { invalid } from '../errors.js';
import { changedMetadata, decimal, expand, flag, isWithin, metadata, range, text } from '../http/form.js';
import { listing, retrieval } from '../http/list.js';
import { existing, operation } from '../http/operation.js';
import { partOf } from '../invoice/money.js';
import { newId } from '../store/ids.js';
import type { InvoiceLine, TaxRate } from '../store/stored.js';
import type { World } from '../world.js';

const path = '/v1/tax_rates';

export const taxRateOperations = [
  operation(
    'POST',
    path,
    z.strictObject({
      country: text.length(2).optional(),
      description: text.optional(),
      display_name: text.max(50),
      expand,
      inclusive: flag,
      jurisdiction: text.max(50).optional(),
      metadata: metadata.optional(),
      percentage: decimal,
    }),
    (world, wanted) => {
      const { percentage } = wanted;
      if (percentage < 0 || percentage > 100)
        throw invalid('Invalid percentage: must be between 0 and 100.', 'percentage');
      const rate = world.store.put('tax_rate', {
        id: newId('tax_rate'),
        object: 'tax_rate',
        active: true,
        country: wanted.country ?? null,
        created: world.now(null),
        description: wanted.description ?? null,
        display_name: wanted.display_name,
        effective_percentage: null,
        flat_amount: null,
        inclusive: wanted.inclusive,
        jurisdiction: wanted.jurisdiction ?? null,
        jurisdiction_level: null,
        livemode: false,
        metadata: changedMetadata({}, wanted.metadata),
        percentage,
        rate_type: 'percentage',
        state: null,
        tax_type: null,
      });
      world.emit('tax_rate.created', rate);
      return rate;
    },
  ),
  retrieval('tax_rate', path),
  listing('tax_rate', path, { active: flag.optional(), created: range.optional() }, (rate, wanted) => {
    const { active, created } = wanted;
    return isWithin(rate.created, created) && (active === undefined || rate.active === active);
  }),
];

/** The rates with these ids. */
export function ratesOf(world: World, ids: readonly string[] | null, param: string): TaxRate[] {
  return (ids ?? []).map((id) => existing(world, 'tax_rate', id, param));
}

// Percentages may have four digits behind the point.
const whole = 1_000_000;

/** What a line that comes to so much after its discounts is taxed by each rate. */
export function taxesOn(amount: number, rates: readonly TaxRate[]): NonNullable<InvoiceLine['taxes']> {
  const parts = rates.map(({ percentage }) => Math.round(percentage * 10_000));
  const within = parts.reduce((sum, part, at) => sum + (rates[at]?.inclusive ? part : 0), whole);
  return rates.map(({ id, inclusive }, at) => ({
    amount: partOf(amount, parts[at] ?? 0, inclusive ? within : whole),
    tax_behavior: inclusive ? 'inclusive' : 'exclusive',
    tax_rate_details: { tax_rate: id },
    taxability_reason: 'not_available',
    taxable_amount: inclusive ? partOf(amount, whole, within) : amount,
    type: 'tax_rate_details',
  }));
}
