import type { JobStep } from '#platform/jobs/job.js';

import type { GitOpsPayload } from './kinds.js';

/** One look at one repository. */
export type LookStep = JobStep<GitOpsPayload>;
