/** What an agent tells the program it runs in. None of it needs an answer, and none of it holds a secret. */
export type AgentEvent =
  | { readonly type: 'enrolled'; readonly instanceId: string }
  /** The panel could not be asked; the agent tries again. */
  | {
      readonly type: 'enrollment-failed';
      readonly message: string;
      readonly retryInMs: number;
      /** What answers at the address does not speak as a panel does. */
      readonly isStranger?: true;
    }
  /** The panel said no; the agent asks again, but rarely. */
  | {
      readonly type: 'enrollment-refused';
      readonly status: number;
      readonly message: string;
      readonly retryInMs: number;
      readonly isStranger?: true;
    }
  /** `replayed` older beats went along; `waiting` are still to go. */
  | {
      readonly type: 'beat-accepted';
      readonly sequence: number;
      readonly replayed: number;
      readonly waiting: number;
    }
  | {
      readonly type: 'beat-failed';
      readonly message: string;
      readonly retryInMs: number;
      readonly waiting: number;
    }
  | { readonly type: 'credential-renewed' }
  /** The panel no longer takes the credential; beats have ended, and one is tried rarely. */
  | { readonly type: 'revoked'; readonly message: string; readonly retryInMs: number }
  | { readonly type: 'stopped' };

/** Passes an event on; what its receiver throws is logged, never felt by the agent. */
export type Tell = (event: AgentEvent) => void;

/** The two steps of stopping: `ending` wakes whoever waits, `cut` ends a call that outlives the grace. */
export interface Stopping {
  readonly ending: AbortSignal;
  readonly cut: AbortSignal;
}
