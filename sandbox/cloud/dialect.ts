import type { CloudError } from './error.js';
import type { Operation } from './http/operation.js';
import type { World } from './world.js';

/** One request drawn from what a token may ask. */
export interface Drawn {
  headers: Readonly<Record<string, string | number>>;
  /** Why it is not answered; undefined while something was left. */
  refusal?: CloudError;
}

/** What makes a stand-in one of a certain provider: its paths, words and limits. */
export interface Dialect {
  /** What all paths begin with: `/v1`. */
  readonly prefix: string;
  /** By `METHOD /path/:id`. */
  readonly routes: Readonly<Record<string, Operation>>;
  draw(world: World, token: { secret: string; project: string }): Drawn;
  /** What a token has to have for a call, of a provider whose tokens may be of chosen scopes. */
  readonly scopesOf?: (route: string, body: unknown) => readonly string[];
  readonly refusals: {
    unauthorized(): CloudError;
    readOnly(): CloudError;
    notFound(): CloudError;
    methodNotAllowed(): CloudError;
    badJson(): CloudError;
    /** That somebody had planned, in the provider's own codes. */
    planned(code: string, message: string): CloudError;
  };
}
