/** progress.csv: one line per iteration under a header that only grows to the right. */
import { type AppendFile, openAppendFile } from './append-file.ts';
import { type MetricsRow, type MetricsWriter, ROW_FIELDS } from './metrics-writer.ts';

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
  return {
    path,
    write: (row) => {
      const cells: (number | string)[] = columns.map(() => '');
      const added: string[] = [];
      for (const [column, value] of cellsOf(row)) {
        const place = places.get(column) ?? columns.length + added.length;
        if (place >= columns.length) added.push(column);
        cells[place] = value;
      }
      const line = `${cells.join(',')}\n`; // numbers need no quotes
      if (added.length === 0) {
        file.append(Buffer.from(line));
        return;
      }
      if (columns.length + added.length > MAX_COLUMNS) throw tooManyColumns(added[0]);
      rewrite(file, columns, [...columns, ...added], line);
      for (const column of added) places.set(column, columns.push(column) - 1);
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

/** Widens the header and every line, and adds one. */
function rewrite(file: AppendFile, columns: readonly string[], wider: readonly string[], line: string): void {
  const lines = file.read().toString('utf8').split('\n').slice(1, -1);
  const padding = ','.repeat(wider.length - columns.length);
  const text = lineOf(wider) + lines.map((old) => `${old}${padding}\n`).join('') + line;
  file.replace(Buffer.from(text));
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
