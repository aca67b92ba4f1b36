import type { Identity } from '../identity.js';
import type { Outcome, PanelClient } from '../panel-client.js';

/** What the panel is told about a command, under the lease it was handed out with. */
export interface CommandReport {
  readonly status: 'in_progress' | 'success' | 'failed';
  /** Everything printed so far. */
  readonly output?: string;
  readonly exit_code?: number;
  /** 0 to 100. */
  readonly progress?: number;
}

/** Tells the panel; never throws. */
export type Report = (report: CommandReport) => Promise<Outcome<undefined>>;

/** Reports about a command that was handed out, under the node's credential of the moment. */
export function reporter(
  { identity, client }: { identity: Identity; client: PanelClient },
  command: { id: string; lease: string | number },
): Report {
  return async (body) => {
    const credential = identity.current?.credential;
    if (credential === undefined) return { kind: 'unavailable', message: 'the node has not enrolled' };
    return client.report(credential, command, body, new AbortController().signal);
  };
}

/** The most that the panel takes as output. */
export const maxOutput = 65_536;

/** What was printed, as the panel can store it: no NULs, no half characters, not too long. */
export function printable(output: string): string {
  // The cut may fall into a surrogate pair.
  return whole(whole(output.replaceAll('\0', '')).slice(0, maxOutput));
}

function whole(text: string): string {
  return text.replaceAll(/\p{Surrogate}/gu, '\ufffd');
}
