import { createHmac } from 'node:crypto';

const usualPort = 22;

/**
 * The name by which ssh looks for a host's keys, and the lines of `known_hosts` in which it does. On another port than its
 * own a host goes by `[host]:port`, as ssh and ssh-keyscan write it; a line of the host alone is for each of its ports.
 */
export function knownAs(host: string, port: number, knownHosts: string): { alias: string; lines: string } {
  const name = host.toLowerCase();
  const alias = port === usualPort ? name : `[${name}]:${port}`;
  const given = knownHosts.split('\n').map((line) => line.trim());
  const more = port === usualPort ? [] : given.flatMap((line) => ofPort(line, name, port));
  return { alias, lines: [...given, ...more].map((line) => `${line}\n`).join('') };
}

/** A marker such as @revoked, whom the line is for, and the rest. */
const parts = /^(@\S+\s+)?([^\s#]\S*)(\s.*)$/;

/** The line that says the same of a port. */
function ofPort(line: string, host: string, port: number): string[] {
  const [, marker = '', names = '', rest = ''] = parts.exec(line) ?? [];
  const ported = names.startsWith('|') ? hashed(names, host, port) : listed(names, port);
  return ported === '' ? [] : [`${marker}${ported}${rest}`];
}

/** Names that have a port already are for that one. */
function listed(names: string, port: number): string {
  return names
    .split(',')
    .filter((name) => name !== '' && !/^!?\[/.test(name))
    .map((name) => name.replace(/^(!?)(.+)$/, `$1[$2]:${port}`))
    .join(',');
}

/** `|1|salt|hash`, where it is of this host. */
function hashed(names: string, host: string, port: number): string {
  const [, kind, salt = '', hash] = names.split('|');
  const found = createHmac('sha1', Buffer.from(salt, 'base64')).update(host).digest('base64');
  return kind === '1' && found === hash ? `[${host}]:${port}` : '';
}
