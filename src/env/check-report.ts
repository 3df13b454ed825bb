/** What `checkEnv` found. */
import type { CheckFinding } from './check-trace.ts';

export interface CheckReport {
  /** No errors; there may be warnings. */
  readonly ok: boolean;
  /** The first of each kind, errors first. */
  readonly findings: readonly CheckFinding[];
  readonly observationSpace: string;
  readonly actionSpace: string;
  readonly numSteps: number;
  readonly numEpisodes: number;
  readonly meanReturn: number;
  readonly meanLength: number;
}

/** The report as lines for people. */
export function formatCheckReport(report: CheckReport): string {
  const lines = report.findings.map(
    ({ severity, code, message, fix }) =>
      `${severity === 'error' ? 'ERROR  ' : 'warning'} ${code}: ${message}\n        ${fix}`,
  );
  const numErrors = report.findings.filter(({ severity }) => severity === 'error').length;
  return [
    `observations ${report.observationSpace}, actions ${report.actionSpace}`,
    `played ${report.numSteps} random steps in ${report.numEpisodes} episodes: mean return ${report.meanReturn.toFixed(2)}, ` +
      `mean length ${report.meanLength.toFixed(1)}`,
    ...lines,
    report.ok
      ? `ok, ${report.findings.length} warnings`
      : `${numErrors} errors, ${report.findings.length - numErrors} warnings`,
  ].join('\n');
}

/** In that order; else as they were found. */
export function errorsFirst(findings: readonly CheckFinding[]): readonly CheckFinding[] {
  return [...findings].sort((a, b) => (a.severity < b.severity ? -1 : a.severity > b.severity ? 1 : 0));
}
