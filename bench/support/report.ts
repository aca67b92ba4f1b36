import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';

/** One line of a result: the figure, and what it was to reach. */
export interface Figure {
  what: string;
  value: string;
  target?: string;
  isMet?: boolean;
}

export interface Report {
  name: string;
  /** What was done, in a sentence. */
  setup: string;
  figures: Figure[];
  /** Raw numbers for the file. */
  details?: Record<string, unknown>;
}

const results = new URL('./../results/', import.meta.url).pathname;

/** Prints a table and keeps the report in results/<date>.json, beside those of the same day. */
export function publish(report: Report): void {
  const width = Math.max(...report.figures.map(({ what }) => what.length));
  const lines = report.figures.map(({ what, value, target, isMet }) =>
    [
      `  ${what.padEnd(width)}`,
      value.padStart(14),
      target ? `   target ${target}${isMet === undefined ? '' : isMet ? '  met' : '  MISSED'}` : '',
    ].join('  '),
  );
  process.stdout.write(`\n${report.name}: ${report.setup}\n${lines.join('\n')}\n`);
  mkdirSync(results, { recursive: true });
  const file = join(results, `${new Date().toISOString().slice(0, 10)}.json`);
  const before = readJson(file);
  const machine = { cores: cpus().length, model: cpus()[0]?.model, node: process.version };
  const kept = { ...before, [report.name]: { at: new Date().toISOString(), machine, ...report } };
  writeFileSync(file, `${JSON.stringify(kept, undefined, 2)}\n`);
}

function readJson(file: string): Record<string, unknown> {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
  } catch {
    return {};
  }
}

export function fixed(value: number, digits = 2): string {
  return value.toFixed(digits);
}
