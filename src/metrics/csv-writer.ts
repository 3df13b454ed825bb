/** progress.csv: one line per iteration under a header that only grows to the right. */
import { type AppendFile, lastLineOf, openAppendFile } from './append-file.ts';
import { type MetricsRow, type MetricsWriter, ROW_FIELDS, rowFrom } from './metrics-writer.ts';

/**
 * Opens the file to go on after `iteration`: lines beyond it, and a last one that was cut short, are removed.
 *
 * Columns keep their order for good. A metric that is first seen later (the first evaluation) becomes a new last
 * column: the file is then rewritten once, with empty cells above. A metric that is absent leaves its cell empty.
 */
export function openCsvWriter(path: string, iteration: number): MetricsWriter {
  const file = openAppendFile(path);
  const columns = keepUpTo(file, iteration);
  const places = new Map(columns.map((column, k) => [column, k]));
  const lineFor = (row: MetricsRow): Buffer => {
    const cells = cellsOf(row);
    const added = [...cells.keys()].filter((column) => !places.has(column));
    if (added.length > 0) {
      if (columns.length + added.length > MAX_COLUMNS) throw tooManyColumns(added[0]);
      widen(file, columns, added);
      for (const column of added) places.set(column, columns.push(column) - 1);
    }
    return Buffer.from(`${columns.map((column) => cells.get(column) ?? '').join(',')}\n`); // numbers need no quotes
  };
  return {
    path,
    write: (row) => file.append(lineFor(row)),
    amend({ iteration, metrics }) {
      const row = lastRow(file, columns);
      if (row?.iteration !== iteration) return;
      const line = lineFor({ ...row, metrics: { ...row.metrics, ...metrics } });
      const bytes = file.read();
      file.replace(Buffer.concat([bytes.subarray(0, lastLineOf(bytes)), line]));
    },
    sync: file.sync,
    close: file.close,
  };
}

/** Every new column rewrites the file. */
const MAX_COLUMNS = 2000;

function tooManyColumns(name: string): Error {
  return new Error(
    `it has ${MAX_COLUMNS} columns at most, and \`${name}\` is one more; a metric's name must not change with every episode`,
  );
}

/** Cuts the file; returns the columns of its header, none for a new file. */
function keepUpTo(file: AppendFile, iteration: number): string[] {
  const text = file.read().toString('utf8');
  const headerEnd = text.indexOf('\n') + 1;
  if (headerEnd === 0) {
    file.truncate(0);
    return [];
  }
  let kept = headerEnd;
  for (let end = text.indexOf('\n', kept); end >= 0; end = text.indexOf('\n', kept)) {
    const first = text.slice(kept, text.indexOf(',', kept));
    if (!/^\d+$/.test(first) || Number(first) > iteration) break;
    kept = end + 1;
  }
  file.truncate(Buffer.byteLength(text.slice(0, kept)));
  return parseLine(text.slice(0, headerEnd - 1));
}

function cellsOf(row: MetricsRow): Map<string, number> {
  const cells = new Map<string, number>();
  for (const field of ROW_FIELDS) cells.set(field, row[field]);
  // The file is read by lines, so a user's metric name must not break one.
  for (const key of Object.keys(row.metrics)) cells.set(key.replaceAll(/[\r\n]/g, ' '), row.metrics[key]);
  return cells;
}

/** The last row, without what has an empty cell; null = there is none. */
function lastRow(file: AppendFile, columns: readonly string[]): MetricsRow | null {
  const bytes = file.read();
  const begin = lastLineOf(bytes);
  if (begin === 0) return null; // the header
  const cells = bytes.toString('utf8', begin, bytes.length - 1).split(',');
  const filled = columns.flatMap((column, k) =>
    cells[k] === '' ? [] : [[column, Number(cells[k])] as const],
  );
  return rowFrom(Object.fromEntries(filled));
}

/** Widens the header and every line. */
function widen(file: AppendFile, columns: readonly string[], added: readonly string[]): void {
  const lines = file.read().toString('utf8').split('\n').slice(1, -1);
  const padding = ','.repeat(added.length);
  file.replace(
    Buffer.from(lineOf([...columns, ...added]) + lines.map((line) => `${line}${padding}\n`).join('')),
  );
}

function lineOf(cells: readonly string[]): string {
  return `${cells.map(quote).join(',')}\n`;
}

function quote(cell: string): string {
  return /[",]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}

function parseLine(line: string): string[] {
  const cells = line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^",]*))/g);
  return Array.from(cells, ([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain ?? '');
}
