import type { JsonWebKey } from 'node:crypto';
import { readFile } from 'node:fs/promises';

import { z } from 'zod';

import type { Clock } from '../clock.js';
import { replaceFile } from '../durable-file.js';
import type { AgentLogger } from '../logger.js';
import { Storing } from '../storing.js';
import { verifyLicence, type LicenceVerdict } from './verify.js';

export interface LicenceKeeperOptions {
  readonly panelUrl: string;
  /** Where the licence and the keys are kept for when the panel is away. */
  readonly file: string;
  readonly clock: Clock;
  readonly fetch?: typeof fetch;
  readonly logger: AgentLogger;
}

interface Kept {
  licence: string;
  keys: JsonWebKey[];
}

const licenceBody = z.object({ key: z.string().max(10_000) });
const keysBody = z.object({ keys: z.array(z.record(z.string(), z.unknown())).min(1).max(20) });
const keptBody = z.object({ licence: z.string(), keys: z.array(z.record(z.string(), z.unknown())) });

const askEveryMs = 6 * 60 * 60 * 1000;
const retryMs = 60_000;
const timeoutMs = 15_000;

/** Takes a node's licence from the panel now and then, and verifies it by itself, also when the panel is away. */
export class LicenceKeeper {
  #kept: Kept | undefined;
  #stopping: AbortController | undefined;
  readonly #storing: Storing;

  constructor(private readonly options: LicenceKeeperOptions) {
    this.#storing = new Storing(options.logger, {
      file: options.file,
      failed: 'The licence can not be stored; it counts until the agent ends',
      again: 'The licence is stored again',
    });
  }

  /** Begins to ask; called again it changes nothing. */
  start(node: () => { instanceId: string; credential: string } | undefined): void {
    if (this.#stopping) return;
    this.#stopping = new AbortController();
    void this.#run(node, this.#stopping.signal);
  }

  stop(): void {
    this.#stopping?.abort();
    this.#stopping = undefined;
  }

  /** Judges what is kept, offline; undefined while there never was a licence. */
  async verdict(instanceId: string): Promise<LicenceVerdict | undefined> {
    this.#kept ??= await this.#read();
    if (!this.#kept) return undefined;
    const { licence, keys } = this.#kept;
    return verifyLicence(licence, { keys, instanceId, now: this.options.clock.now() });
  }

  async #run(
    node: () => { instanceId: string; credential: string } | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    const { logger } = this.options;
    let told: string | undefined;
    while (!signal.aborted) {
      const known = node();
      const isTaken = known !== undefined && (await this.#take(known, signal));
      const verdict = known && (await this.verdict(known.instanceId));
      const words = verdict && (verdict.isGood ? `good for ${verdict.terms.plan}` : verdict.problem);
      if (verdict && words !== told) {
        if (verdict.isGood) logger.info({ ...verdict.terms }, 'The licence of this node is good');
        else logger.warn({ problem: verdict.problem }, 'The licence of this node does not count');
      }
      told = words;
      await this.#wait(isTaken ? askEveryMs : retryMs, signal).catch(() => undefined);
    }
  }

  /** Meanwhile tries to store what could not be. */
  async #wait(ms: number, signal: AbortSignal): Promise<void> {
    for (let left = ms; left > 0;) {
      const step = this.#storing.problem === undefined ? left : Math.min(left, retryMs);
      await this.options.clock.delay(step, signal);
      left -= step;
      if (this.#storing.problem !== undefined && this.#kept) await this.#store(this.#kept);
    }
  }

  /** Whether it verifies. What does not leaves what is kept as it was. */
  async #take(
    { instanceId, credential }: { instanceId: string; credential: string },
    signal: AbortSignal,
  ): Promise<boolean> {
    try {
      const [{ key: licence }, { keys }] = await Promise.all([
        this.#get('api/agent/license', licenceBody, signal, { authorization: `Bearer ${credential}` }),
        this.#get('licences/keys.json', keysBody, signal),
      ]);
      this.#kept ??= await this.#read();
      const { isGood } = verifyLicence(licence, { keys, instanceId, now: this.options.clock.now() });
      if (!isGood && this.#kept) return false;
      const kept = { licence, keys };
      await this.#store(kept);
      this.#kept = kept;
      return isGood;
    } catch (error) {
      this.options.logger.debug({ err: error }, 'The licence could not be asked for');
      return false;
    }
  }

  async #store(kept: Kept): Promise<void> {
    try {
      await replaceFile(this.options.file, JSON.stringify(kept));
      this.#storing.worked();
    } catch (error) {
      this.#storing.failed(error);
    }
  }

  async #get<Body>(
    path: string,
    shape: z.ZodType<Body>,
    signal: AbortSignal,
    headers: Record<string, string> = {},
  ): Promise<Body> {
    const { panelUrl, fetch: ask = fetch } = this.options;
    const base = panelUrl.endsWith('/') ? panelUrl : `${panelUrl}/`;
    const response = await ask(new URL(path, base), {
      headers: { accept: 'application/json', ...headers },
      redirect: 'manual',
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    });
    if (!response.ok) throw new Error(`${path} answered ${response.status}`);
    return shape.parse(await response.json());
  }

  async #read(): Promise<Kept | undefined> {
    try {
      return keptBody.parse(JSON.parse(await readFile(this.options.file, 'utf8')));
    } catch {
      return undefined;
    }
  }
}
