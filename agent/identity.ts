import type { AgentLogger } from './logger.js';
import type { Enrollment } from './protocol.js';
import { StateError, type AgentState, type StateStore } from './state-store.js';
import { Storing } from './storing.js';

/** Sequence numbers are set aside in blocks, so that the state is written once in a thousand beats, not at each. */
const block = 1000;

/** Who the node is to the panel, and the duty to keep that on disk. */
export class Identity {
  #inUse: AgentState | undefined;
  /** The newest state the store has not taken yet. */
  #unsaved: AgentState | undefined;
  #nextSequence = 1;
  #reservedBelow = 1;
  readonly #storing: Storing;

  constructor(
    private readonly store: StateStore,
    private readonly panelUrl: string,
    private readonly log: AgentLogger,
  ) {
    this.#storing = new Storing(log, {
      file: store.location,
      failed:
        'The state can not be stored; the agent goes on, tries with each beat, and says when it can again',
      again: 'The state is stored again',
    });
  }

  /** Why the state can not be stored; undefined while it can. */
  get problem(): string | undefined {
    return this.#storing.problem;
  }

  get current(): AgentState | undefined {
    return this.#inUse;
  }

  /** Takes up what the store holds; throws when that belongs to another panel, which must not see our credential. */
  async open(): Promise<void> {
    const state = await this.store.load();
    if (state === undefined) return;
    if (new URL(state.panelUrl).href !== new URL(this.panelUrl).href) {
      throw new StateError(
        `${this.store.location} belongs to a node of ${state.panelUrl}, not of ${this.panelUrl}; ` +
          'remove it to enroll here, or give the panel it belongs to',
      );
    }
    this.#take(state);
  }

  /** Looks again after a refusal: an operator may have removed the state, or put another in its place. */
  async reopen(mayEnroll: boolean): Promise<void> {
    if (this.#unsaved !== undefined) return;
    try {
      if (mayEnroll && (await this.store.load()) === undefined) this.#inUse = undefined;
      else await this.open();
    } catch (error) {
      this.log.error(
        { err: error },
        'The state can not be read again; the agent goes on with the one it has',
      );
    }
  }

  /**
   * The same for the same enrollment, over restarts too, until the node has become one or asks for another. Undefined
   * while it can not be stored: a node that enrolled under none could become two.
   */
  async enrollmentKey(enrollment: Enrollment, how?: { isAnew?: boolean }): Promise<string | undefined> {
    try {
      const key = await this.store.enrollmentKey(enrollment, how);
      this.#storing.worked();
      return key;
    } catch (error) {
      this.#storing.failed(error);
      return undefined;
    }
  }

  /** Becomes the node just enrolled. It is used even if it can't be stored yet: there is no older one to fall back to. */
  async adopt(instanceId: string, credential: string): Promise<void> {
    this.#take({ panelUrl: this.panelUrl, instanceId, credential, nextSequence: 1 });
    await this.#reserve();
  }

  /** Stores a renewed credential, then uses it; until that has worked the old one stays in use. */
  async renew(credential: string): Promise<boolean> {
    if (this.#inUse?.credential === credential) return false;
    return this.#keep({ ...this.#newest(), credential });
  }

  async nextSequence(): Promise<number> {
    if (this.#nextSequence >= this.#reservedBelow) await this.#reserve();
    const sequence = this.#nextSequence;
    this.#nextSequence += 1;
    return sequence;
  }

  /** Tries once more to store what could not be stored. */
  async settle(): Promise<void> {
    if (this.#unsaved !== undefined) await this.#keep(this.#unsaved);
  }

  #take(state: AgentState): void {
    this.#inUse = state;
    this.#unsaved = undefined;
    this.#nextSequence = state.nextSequence;
    this.#reservedBelow = state.nextSequence;
  }

  async #reserve(): Promise<void> {
    // Counted even if the write fails: the numbers of this run stay right, and settle() mends the rest.
    this.#reservedBelow = this.#nextSequence + block;
    await this.#keep({ ...this.#newest(), nextSequence: this.#reservedBelow });
  }

  #newest(): AgentState {
    const newest = this.#unsaved ?? this.#inUse;
    if (newest === undefined) throw new Error('The node has not enrolled');
    return newest;
  }

  async #keep(state: AgentState): Promise<boolean> {
    try {
      await this.store.save(state);
      this.#unsaved = undefined;
      this.#inUse = state;
      this.#storing.worked();
      return true;
    } catch (error) {
      this.#unsaved = state;
      this.#storing.failed(error);
      return false;
    }
  }
}
