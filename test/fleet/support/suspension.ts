import type { Suspension } from '#subgraphs/fleet/hearing/suspension.job.js';

/** For sweeps that run by themselves, without anybody who suspends. */
export const nobodySuspended: Suspension = { isSuspended: () => false, deadlineMs: 90_000 };
