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

/** The most that the panel keeps of an output. */
export const maxOutput = 65_536;
const keptHead = maxOutput / 4;

/**
 * What was printed, as the panel can store it: no NULs, no half characters. Of what is too long the beginning and the end
 * are told, with a line between them: the end says most often what went wrong.
 */
export function printable(output: string): string {
  const text = output.replaceAll('\0', '').toWellFormed();
  if (text.length <= maxOutput) return text;
  const line = (left: number) => `\n[... ${left} characters left out ...]\n`;
  // Either cut may fall into a surrogate pair.
  const head = text.slice(0, keptHead).replace(/\p{Surrogate}$/u, '');
  const tail = text.slice(head.length + line(text.length).length - maxOutput).replace(/^\p{Surrogate}/u, '');
  return head + line(text.length - head.length - tail.length) + tail;
}
