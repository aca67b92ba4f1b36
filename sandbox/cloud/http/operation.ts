import type { Token } from '../kept.js';
import type { World } from '../world.js';

/** One call, read and let in. */
export interface Call {
  world: World;
  project: string;
  /** By which it is let in. */
  token: Token;
  /** What stands for `:id` in the path. */
  ids: readonly string[];
  /** The whole address, where answers name others. */
  url: URL;
  query: URLSearchParams;
  body: unknown;
}

/** Answers the body, with a `status` beside it where that is not 200. Nothing in it waits. */
export type Operation = (call: Call) => object;
