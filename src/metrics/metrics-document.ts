/** Declared metrics as tables of the reference page. */
import type { MetricDeclarations } from './metric-keys.ts';

/** Markdown: one row a metric, in declaration order. */
export function metricsTable(metrics: MetricDeclarations): string {
  const rows = Object.entries(metrics).map(
    ([key, { unit, window, formula }]) =>
      `| \`${key}\` | ${unit} | ${window} | ${formula.replaceAll('|', '\\|')} |`,
  );
  return ['| Key | Unit | Window | Formula |', '|---|---|---|---|', ...rows].join('\n');
}
