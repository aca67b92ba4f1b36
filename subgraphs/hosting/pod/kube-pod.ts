import { z } from 'zod';

import { headOf } from '#platform/cut-text.js';
import { mended } from '#platform/mended-text.js';

import { PodPhase, type Pod } from './pod.js';

const text = (most: number) => z.string().transform((value) => mended(headOf(value, most)));
const maybe = <Type extends z.ZodType>(type: Type) => type.nullish().transform((value) => value ?? undefined);
const name = z.string().min(1).max(253);
const count = z.int().min(0).max(2_147_483_647);
const mostOfEach = 100;

const ended = z.object({
  reason: maybe(text(200)),
  message: maybe(text(1_000)),
  exitCode: maybe(z.int().min(-2_147_483_648).max(2_147_483_647)),
  finishedAt: maybe(z.string().max(100)),
});
const state = z.object({
  waiting: maybe(z.object({ reason: maybe(text(200)), message: maybe(text(1_000)) })),
  terminated: maybe(ended),
});
const container = z.object({
  restartCount: maybe(count),
  state: maybe(state),
  lastState: maybe(state),
});
const containers = maybe(z.array(container).max(mostOfEach));
const names = maybe(z.array(z.object({ name })).max(mostOfEach));

/** What of a pod is looked at, and how large it may be. */
const shape = z.object({
  metadata: z.object({
    name,
    creationTimestamp: z.iso.datetime({ offset: true }),
    deletionTimestamp: maybe(z.string()),
  }),
  spec: z.object({ nodeName: maybe(name), containers: names, initContainers: names }),
  status: maybe(
    z.object({
      phase: maybe(z.string()),
      reason: maybe(text(200)),
      message: maybe(text(1_000)),
      conditions: maybe(
        z
          .array(
            z.object({
              type: z.string(),
              status: z.string(),
              reason: maybe(text(200)),
              message: maybe(text(1_000)),
            }),
          )
          .max(mostOfEach),
      ),
      containerStatuses: containers,
      initContainerStatuses: containers,
    }),
  ),
});

type KubePod = z.output<typeof shape>;
type KubeStatus = Partial<NonNullable<KubePod['status']>>;
type Why = Pick<Pod, 'reason' | 'message'>;

/** A pod as it is shown, or undefined where an object is none. */
export function readPod(object: unknown): Pod | undefined {
  const pod = shape.safeParse(object).data;
  if (!pod) return undefined;
  const { metadata, spec } = pod;
  const status: KubeStatus = pod.status ?? {};
  const all = [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])];
  const isReady = (status.conditions ?? []).some((each) => each.type === 'Ready' && each.status === 'True');
  const last = lastEnd(all);
  return {
    name: metadata.name,
    phase: phaseOf(status.phase),
    isReady,
    isEnding: metadata.deletionTimestamp !== undefined,
    restarts: Math.min(
      all.reduce((sum, { restartCount = 0 }) => sum + restartCount, 0),
      2_147_483_647,
    ),
    ...(isReady ? { reason: null, message: null } : whyOf(status)),
    lastExitReason: last?.reason ?? null,
    lastExitCode: last?.exitCode ?? null,
    containers: [...(spec.initContainers ?? []), ...(spec.containers ?? [])].map((each) => each.name),
    node: spec.nodeName ?? null,
    createdAt: new Date(metadata.creationTimestamp),
  };
}

function phaseOf(told: string | undefined): PodPhase {
  return Object.values(PodPhase).find((phase) => phase === told?.toUpperCase()) ?? PodPhase.UNKNOWN;
}

/**
 * What keeps a pod from being ready, as `kubectl get pods` finds it: what is said of the whole pod, then a container that
 * runs before the others, then one of its own, then that no node takes it.
 */
function whyOf({ reason, message, conditions, initContainerStatuses, containerStatuses }: KubeStatus): Why {
  if (reason !== undefined) return { reason, message: message ?? null };
  for (const { state } of initContainerStatuses ?? []) {
    const why = whyNot(state);
    if (why) return why;
  }
  for (const { state } of containerStatuses ?? []) {
    const why = whyNot(state);
    if (why) return why;
  }
  const unmet = (type: string) => conditions?.find((each) => each.type === type && each.status === 'False');
  const told = unmet('PodScheduled') ?? unmet('Ready');
  return { reason: told?.reason ?? null, message: told?.message ?? null };
}

/** Undefined of a container that runs, or has ended well. */
function whyNot(state: z.output<typeof container>['state']): Why | undefined {
  const { waiting, terminated } = state ?? {};
  if (waiting) return { reason: waiting.reason ?? null, message: waiting.message ?? null };
  if (!terminated || terminated.exitCode === 0) return undefined;
  const { reason, message, exitCode } = terminated;
  return {
    reason: reason ?? null,
    message: message ?? (exitCode === undefined ? null : `It ended with exit code ${exitCode}`),
  };
}

/** The latest end of a container, now or before it was started anew. */
function lastEnd(all: readonly z.output<typeof container>[]): z.output<typeof ended> | undefined {
  const ends = all.flatMap(({ state, lastState }) => [state?.terminated, lastState?.terminated]);
  return ends
    .filter((end) => end !== undefined)
    .toSorted((a, b) => Date.parse(b.finishedAt ?? '') - Date.parse(a.finishedAt ?? ''))[0];
}
