import { z } from 'zod';

import { headOf } from '#platform/cut-text.js';
import { mended } from '#platform/mended-text.js';

import { deploymentLabel } from './manifest.js';

const text = (most: number) => z.string().transform((value) => mended(headOf(value, most)));
/** Of names and uids. */
export const longestName = 253;
const name = z.string().min(1).max(longestName);
/** More than anybody has: each is looked at. */
const mostOfEach = 1_000;
const count = z.int().min(0).max(2_147_483_647);
const maybe = <Type extends z.ZodType>(type: Type) => type.nullish().transform((value) => value ?? undefined);

const condition = z.object({
  type: text(100),
  status: text(100),
  reason: maybe(text(200)),
  message: maybe(text(2_000)),
});

/** What of a deployment is looked at, and how large it may be. Whatever else there is, is left out. */
const shape = z.object({
  metadata: z.object({
    name,
    namespace: name,
    uid: name,
    resourceVersion: name,
    generation: maybe(z.number()),
    creationTimestamp: z.iso.datetime({ offset: true }),
    deletionTimestamp: maybe(z.string()),
    labels: maybe(z.object({ [deploymentLabel]: maybe(z.string()) })),
  }),
  spec: z.object({
    replicas: maybe(count),
    paused: maybe(z.boolean()),
    template: z.object({
      spec: z.object({ containers: z.array(z.object({ image: maybe(text(500)) })).max(mostOfEach) }),
    }),
  }),
  status: maybe(
    z.object({
      observedGeneration: maybe(z.number()),
      replicas: maybe(count),
      updatedReplicas: maybe(count),
      readyReplicas: maybe(count),
      availableReplicas: maybe(count),
      conditions: maybe(z.array(condition).max(mostOfEach)),
    }),
  ),
});

/** A deployment as a cluster tells it. */
export type KubeDeployment = z.output<typeof shape>;

/** What a controller has told of it so far, which may be nothing. */
export type KubeStatus = Partial<NonNullable<KubeDeployment['status']>>;

/** The deployment, or undefined where an object is none of which a row could be made. */
export function readDeployment(object: unknown): KubeDeployment | undefined {
  return shape.safeParse(object).data;
}

/** Whether one version of a cluster's deployments is later than another: null is before all. */
export function isLater(version: string, than: string | null): boolean {
  if (than === null) return true;
  // They are decimal numbers, and may be compared since 1.35; of others nobody knows.
  const isNumber = (of: string) => /^\d{1,30}$/.test(of);
  return isNumber(version) && isNumber(than) && BigInt(version) > BigInt(than);
}
