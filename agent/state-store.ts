import { createHash, randomUUID } from 'node:crypto';
import { chmod, mkdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';

import { z } from 'zod';

import { isMissing, replaceFile } from './durable-file.js';
import type { Enrollment } from './protocol.js';

/** What a node must remember to stay itself over a restart. */
export interface AgentState {
  readonly panelUrl: string;
  readonly instanceId: string;
  readonly credential: string;
  /** No beat has carried this sequence number or a higher one. */
  readonly nextSequence: number;
}

/** Where an agent's state is kept. */
export interface StateStore {
  /** For messages: where an operator finds it. */
  readonly location: string;
  /** Throws when a save could not succeed; asked before an enrollment token is spent. */
  prepare(): Promise<void>;
  load(): Promise<AgentState | undefined>;
  /**
   * By which the panel knows an enrollment that it is asked for again, as its answer was lost: the same until a state is
   * saved, unless another one is asked for. Resolves only once it would survive a power cut.
   */
  enrollmentKey(enrollment: Enrollment, how?: { isAnew?: boolean }): Promise<string>;
  /** Resolves only once the state would survive a power cut. */
  save(state: AgentState): Promise<void>;
}

/** The state is there but is none of ours, or can't be kept where it was asked for. */
export class StateError extends Error {
  override readonly name = 'StateError';
}

const stored = z
  .object({
    panel_url: z.url(),
    instance_id: z.string().min(1),
    credential: z.string().min(1),
    next_sequence: z.number().int().positive(),
  })
  .transform((raw) => ({
    panelUrl: raw.panel_url,
    instanceId: raw.instance_id,
    credential: raw.credential,
    nextSequence: raw.next_sequence,
  }));

const storedKey = z.object({ key: z.string().min(1), enrollment: z.string() });

/** A JSON file that only its owner can read, replaced as a whole so that a reader sees the old or the new one. */
export function fileStateStore(file: string): StateStore {
  const folder = path.dirname(file);
  const keyFile = `${file}.enrollment`;

  return {
    location: file,

    async prepare() {
      const probe = path.join(folder, `.${path.basename(file)}.probe`);
      try {
        await mkdir(folder, { recursive: true, mode: 0o700 });
        // A full disk still takes a file with nothing in it.
        await replaceFile(probe, 'x'.repeat(4_096));
      } catch (error) {
        throw new StateError(`The state can't be kept in ${file}: ${reasonOf(error)}`, { cause: error });
      } finally {
        await rm(probe, { force: true }).catch(() => undefined);
      }
    },

    async load() {
      let text: string;
      try {
        text = await readFile(file, 'utf8');
      } catch (error) {
        if (isMissing(error)) return undefined;
        throw new StateError(`The state in ${file} can't be read: ${reasonOf(error)}`, { cause: error });
      }
      const parsed = stored.safeParse(jsonOrUndefined(text));
      if (!parsed.success) {
        throw new StateError(`${file} holds no state of an agent; mend it, or remove it to enroll again`);
      }
      // A backup or a copy may have widened it.
      await chmod(file, 0o600).catch(() => undefined);
      return parsed.data;
    },

    async enrollmentKey(enrollment, { isAnew = false } = {}) {
      const wanted = digestOf(enrollment);
      const kept = storedKey.safeParse(jsonOrUndefined(await readFile(keyFile, 'utf8').catch(() => '')));
      if (!isAnew && kept.success && kept.data.enrollment === wanted) return kept.data.key;
      const key = randomUUID();
      await mkdir(folder, { recursive: true, mode: 0o700 });
      await replaceFile(keyFile, JSON.stringify({ key, enrollment: wanted }));
      return key;
    },

    async save(state) {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const raw: z.input<typeof stored> = {
        panel_url: state.panelUrl,
        instance_id: state.instanceId,
        credential: state.credential,
        next_sequence: state.nextSequence,
      };
      await replaceFile(file, `${JSON.stringify(raw, undefined, 2)}\n`);
      await rm(keyFile, { force: true });
    },
  };
}

/** State that ends with the process, for nodes that live as long as a demo or a test. */
export function memoryStateStore(initial?: AgentState): StateStore {
  let state = initial;
  const keys = new Map<string, string>();
  return {
    location: 'memory',
    prepare: async () => {},
    load: async () => state,
    enrollmentKey: async (enrollment, { isAnew = false } = {}) => {
      const wanted = digestOf(enrollment);
      const key = (isAnew ? undefined : keys.get(wanted)) ?? randomUUID();
      keys.set(wanted, key);
      return key;
    },
    save: async (next) => {
      state = next;
      keys.clear();
    },
  };
}

/** The panel refuses a key that comes with another request. */
function digestOf(enrollment: Enrollment): string {
  return createHash('sha256').update(JSON.stringify(enrollment)).digest('base64url');
}

function jsonOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
