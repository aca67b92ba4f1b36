import type { CommandReport, Report } from '#agent/commands/report.js';

/** What a runner reports, which the panel always answers in the same way. */
export function recording(answer: Awaited<ReturnType<Report>> = { kind: 'ok', answer: undefined }) {
  const reports: CommandReport[] = [];
  const report: Report = async (body) => {
    reports.push(body);
    return answer;
  };
  return { reports, report };
}
