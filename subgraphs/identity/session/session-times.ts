const minute = 60 * 1000;
const day = 24 * 60 * minute;

export const accessSeconds = 15 * 60;
/** A session whose tokens nobody refreshes ends after this. */
export const refreshIdleMs = 14 * day;
export const sessionMaxMs = 90 * day;
/**
 * A session that was not used for this long has no access token that lives, nor has anybody one who acted for a client by
 * it: each lives for 15 minutes. Twice as long, for clocks that differ.
 */
export const tokensLastMs = 60 * minute;
