import type { JobKind, JobPayload } from '#platform/jobs/job.js';

export interface PlacementPayload extends JobPayload {
  placementId: string;
}

/** Takes a placement's next step. One whose process died is due again by its row. */
export const advancePlacementKind: JobKind<PlacementPayload> = {
  name: 'hosting.placement.advance',
  retry: { limit: 1, delaySeconds: 2, maxDelaySeconds: 2 },
  expireInSeconds: 60,
};

/** How long a step may take before somebody else takes it. */
export const claimMs = 60_000;
/** Between two looks at what is under way. */
export const lookMs = 3_000;
