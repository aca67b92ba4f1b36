import { createHash, randomBytes } from 'node:crypto';

/** A text about a person that details have a word for: it can be forgotten, which the word does not tell. */
export interface PersonalText {
  /** The word: SHA-256 of the salt and the text, so that what is kept can be shown to be what was recorded. */
  as: string;
  /** Goes with the text: without it nobody can try which text the word stands for. */
  salt: string;
  text: string;
  /** By which it is found. */
  key: string;
}

const begins = 'personal:';

export function withheld(text: string): PersonalText {
  const salt = randomBytes(16).toString('hex');
  return { as: wordFor(salt, text), salt, text, key: text.toLowerCase() };
}

/** Whether each is what its word stands for. */
export function arePersonal(texts: readonly PersonalText[] | null): boolean {
  return (texts ?? []).every(({ as, salt, text }) => as === wordFor(salt, text));
}

/** The texts by their words, for whoever reads the trail. */
export function shownPersonal({
  personal,
}: {
  personal: readonly PersonalText[] | null;
}): Record<string, string> {
  return Object.fromEntries((personal ?? []).map(({ as, text }) => [as, text]));
}

function wordFor(salt: string, text: string): string {
  return begins + createHash('sha256').update(`${salt}:${text}`).digest('hex');
}

export const isAddress = (text: string) => /^[^\s@]+@[^\s@]+$/.test(text);

/** A copy with other texts. */
export function mapTexts(
  value: unknown,
  to: (text: string, field?: string) => string,
  field?: string,
): unknown {
  if (typeof value === 'string') return to(value, field);
  if (Array.isArray(value)) return value.map((each) => mapTexts(each, to));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, mapTexts(inner, to, name)]));
}
