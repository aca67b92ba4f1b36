export const dayMs = 24 * 60 * 60 * 1000;
const lifetimeMs = 35 * dayMs;
/** A node that is cut off has as long, at the least, with the licence that it took last. */
export const renewBeforeMs = 14 * dayMs;

/** When a licence ends that is issued now. */
export const endOf = (from: Date): Date => new Date(from.getTime() + lifetimeMs);

/** From when on one that ends then is issued anew. */
export const renewalOf = (end: Date): Date => new Date(end.getTime() - renewBeforeMs);
