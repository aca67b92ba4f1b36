import semver from 'semver';

const shape = /^v?(\d{1,15}(?:\.\d{1,15}){0,7})(?:[-~+_ ]?([\w.~+ -]{1,60}))?$/i;

/** Numbers, then what follows them; undefined when it does not begin with a number. */
export type Version = { numbers: readonly number[]; prerelease: string };

/**
 * Reads versions of operating systems and of programs alike: `22.04`, `6.1.0-18-amd64`, `v1.2.3`. Semantic versioning
 * knows neither leading zeros nor two parts, so this is no semver. What follows a hyphen counts as a prerelease only
 * where it says so (`-rc.1`, `-beta`).
 */
export function parseVersion(text: unknown): Version | undefined {
  if (typeof text !== 'string' || text.length > 100) return undefined;
  const [, numbers, rest = ''] = shape.exec(text.trim()) ?? [];
  if (numbers === undefined) return undefined;
  return { numbers: numbers.split('.').map(Number), prerelease: isPrerelease.test(rest) ? rest : '' };
}

const isPrerelease = /^(alpha|beta|rc|pre|dev|preview|snapshot|nightly)/i;

/** Below 0, 0 or above, as `a` is before, the same as or after `b`. A part that is not there is 0. */
export function compareVersions(a: Version, b: Version): number {
  const parts = Math.max(a.numbers.length, b.numbers.length);
  for (let at = 0; at < parts; at += 1) {
    const difference = (a.numbers[at] ?? 0) - (b.numbers[at] ?? 0);
    if (difference !== 0) return difference;
  }
  if (a.prerelease === b.prerelease) return 0;
  if (a.prerelease === '') return 1;
  if (b.prerelease === '') return -1;
  const [left, right] = [`0.0.0-${a.prerelease}`, `0.0.0-${b.prerelease}`];
  if (semver.valid(left) && semver.valid(right)) return semver.compare(left, right);
  return a.prerelease < b.prerelease ? -1 : 1;
}

/** A range of npm's; undefined when it is none. */
export function parseRange(text: unknown): semver.Range | undefined {
  if (typeof text !== 'string' || text.trim() === '') return undefined;
  try {
    // A prerelease of the next version is newer than the one before, whatever tuple the range names.
    return new semver.Range(text, { includePrerelease: true });
  } catch {
    return undefined;
  }
}

/** Undefined when the text is no semantic version, as `22.04`. */
export function isInRange(text: unknown, range: semver.Range): boolean | undefined {
  const version = typeof text === 'string' ? semver.parse(text) : null;
  return version ? range.test(version) : undefined;
}
