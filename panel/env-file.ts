import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';

const assignment = /^[^\S\n]*(?:export[^\S\n]+)?([\w.-]+)[^\S\n]*=([^\n]*)$/gm;
const quoted = /^\s*['"`]/;
/** What is not between single quotes, without a comment after it. */
const between = /^\s*(?:"((?:[^"\\]|\\.)*)|([^\s'][^#]*))/;

/**
 * Settings of an .env file whose unquoted value has a `#` inside: Node takes what follows for a comment, without a word.
 * A `#` after a space is meant as one. The values themselves are secrets and not told.
 */
export function cutSettings(text: string): string[] {
  const read = parseEnv(text);
  return [...text.replaceAll('\r', '').matchAll(assignment)]
    .filter(([, name = '', value = '']) => {
      const at = value.indexOf('#');
      const kept = value.slice(0, at);
      // A line inside a quoted value only looks like a setting: what was read says otherwise.
      return at >= 0 && !quoted.test(value) && !/\s$/.test(kept) && read[name] === kept.trim();
    })
    .map(([, name = '']) => name);
}

/**
 * Settings whose value has a `\`, and is not between single quotes: systemd takes it, or what it is with the character after
 * it, for another one than Node does (`findings/`), so that a service and a command run with different settings.
 */
export function disputedSettings(text: string): string[] {
  const read = parseEnv(text);
  return [...text.replaceAll('\r', '').matchAll(assignment)]
    .filter(([, name = '', value = '']) => {
      const [, inQuotes, bare] = between.exec(value) ?? [];
      return name in read && (inQuotes ?? bare ?? '').includes('\\');
    })
    .map(([, name = '']) => name);
}

/** One line for each setting of the files that Node was told to read that is cut, or is another one for systemd. */
export function envFileWarnings(nodeArguments: readonly string[]): string[] {
  return nodeArguments.flatMap((argument) => {
    const file = /^--env-file(?:-if-exists)?=(.+)$/.exec(argument)?.[1];
    const text = file === undefined ? undefined : tryRead(file);
    if (file === undefined || text === undefined) return [];
    return [
      ...cutSettings(text).map(
        (name) =>
          `${file}: the value of ${name} ends before its "#", as what follows is a comment. Put quotes around the value.`,
      ),
      ...disputedSettings(text).map(
        (name) =>
          `${file}: the value of ${name} has a "\\", which Node and systemd read differently. Put single quotes around the value.`,
      ),
    ];
  });
}

function tryRead(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
