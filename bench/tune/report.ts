/** A table of the comparison. */
import { quantile } from '../statistics.ts';

export interface Section {
  readonly title: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** Under the table; empty = none. */
  readonly note: string;
}

export function sectionText({ title, head, rows, note }: Section): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const table = [line(head), `|${head.map(() => '---').join('|')}|`, ...rows.map(line)];
  return [`## ${title}`, '', ...table, ...(note === '' ? [] : ['', note])].join('\n');
}

/** Median, and the quartiles around it. */
export function quartiles(values: readonly number[], digits = 3): [string, string] {
  const at = (q: number) => quantile(values, q).toFixed(digits);
  return [at(0.5), `${at(0.25)} to ${at(0.75)}`];
}
