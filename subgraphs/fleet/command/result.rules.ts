import { z } from 'zod';

import { headOf, tailOf } from '#platform/cut-text.js';
import { validate } from '#platform/validation.js';

import type { InputWarning } from '../reported/input-warning.js';
import { Warnings, type Range } from '../reported/warnings.js';
import { ReportedStatus, type ReportCommandResultInput } from './command.inputs.js';

/** The most that is kept of what a node printed. */
export const maxOutput = 65_536;
// The end tells most often what went wrong.
const keptHead = maxOutput / 4;
const int32 = 2 ** 31;
const progressRange: Range = { what: 'Progress', max: 100, decimals: 0 };

/** A report as far as it can be used. */
export interface ReportedResult {
  lease: string;
  status: ReportedStatus;
  output: string | null;
  isTruncated: boolean;
  exitCode: number | null;
  progress: number | null;
}

const rules = z.object({
  lease: z.string().max(200, 'Lease must have at most 200 characters'),
  status: z.enum(ReportedStatus),
});

/** Takes of a report what can be used, and tells the rest in warnings: no result is lost for how it was printed. */
export function judgeResult(input: ReportCommandResultInput): {
  report: ReportedResult;
  warnings: InputWarning[] | null;
} {
  const { lease, status } = validate(rules, input);
  const warnings = new Warnings();
  const { output, isTruncated } = outputOf(warnings, input.output);
  const report = {
    lease,
    status,
    output,
    isTruncated,
    exitCode: exitCodeOf(warnings, input.exitCode),
    progress: warnings.number('progress', input.progress, progressRange),
  };
  warnings.addUnknown(input.unknownFields);
  return { report, warnings: warnings.all };
}

function outputOf(warnings: Warnings, value: unknown): Pick<ReportedResult, 'output' | 'isTruncated'> {
  if (value === null || value === undefined) return { output: null, isTruncated: false };
  if (typeof value !== 'string') {
    warnings.add('output', 'Output must be text; it was left out');
    return { output: null, isTruncated: false };
  }
  if (value.length <= maxOutput) return { output: value, isTruncated: false };
  warnings.add('output', `Output must have at most ${maxOutput} characters; its middle was left out`);
  return { output: withoutMiddle(value), isTruncated: true };
}

/** The beginning and the end, with a line between them; no longer than `maxOutput`, and the same for the same text. */
function withoutMiddle(text: string): string {
  const line = (left: number) => `\n[... ${left} characters left out ...]\n`;
  const room = maxOutput - line(text.length).length;
  const head = headOf(text, keptHead);
  const tail = tailOf(text, room - head.length);
  return head + line(text.length - head.length - tail.length) + tail;
}

/** As it came: Windows gives 3221225477 for what others call -1073741819. */
function exitCodeOf(warnings: Warnings, value: unknown): number | null {
  if (value === null || value === undefined) return null;
  if (Number.isInteger(value) && Number(value) >= -int32 && Number(value) < 2 * int32) return Number(value);
  warnings.add('exitCode', 'Exit code must be a whole number of 32 bits; it was left out');
  return null;
}
