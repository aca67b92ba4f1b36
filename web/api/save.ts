import { accessToken } from '../session/session.ts';
import type { Told } from './problem.ts';

/** For the first of it: how long all of it takes depends on how much there is. */
const answerWithinMs = 30_000;

/**
 * Saves what the panel answers at a path as a file. It is asked for with the token of whoever is signed in, which a link
 * could not carry. Answers what went wrong.
 */
export async function save(path: string, name: string): Promise<Told | undefined> {
  const patience = new AbortController();
  const timer = setTimeout(() => patience.abort(), answerWithinMs);
  try {
    const headers = { authorization: `Bearer ${await accessToken()}` };
    const response = await fetch(path, { headers, signal: patience.signal });
    clearTimeout(timer);
    if (!response.ok) return await refusal(response);
    hand(await response.blob(), name);
    return undefined;
  } catch {
    return { code: 'NETWORK', text: 'It could not be had whole. Check your connection, then try again.' };
  } finally {
    clearTimeout(timer);
  }
}

async function refusal(response: Response): Promise<Told> {
  const { error }: { error?: unknown } = await response.json().catch(() => ({}));
  const words = typeof error === 'string' ? error : `The panel answered ${response.status}`;
  return { code: String(response.status), text: `${words}.` };
}

function hand(content: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  // The browser takes it after the click.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
