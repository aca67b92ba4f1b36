const units: Readonly<Record<string, number>> = {
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};
const shape = /^(\d{1,6})([smhdw])$/;

/** Milliseconds of a duration as `90s`, `30m`, `24h`, `7d` or `2w`; undefined when it is none. */
export function durationMs(text: unknown): number | undefined {
  const [, count, unit] = (typeof text === 'string' && shape.exec(text)) || [];
  return count === undefined || unit === undefined ? undefined : Number(count) * units[unit]!;
}
