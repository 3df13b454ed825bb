/** progress.jsonl: one JSON object per iteration. */
import { openAppendFile } from './append-file.ts';
import type { MetricsRow, MetricsWriter } from './metrics-writer.ts';

/**
 * Opens the file to go on after `iteration`: rows beyond it, and a last line that was cut short, are removed.
 *
 * Cost: reads the file once when it opens.
 */
export function openJsonlWriter(path: string, iteration: number): MetricsWriter {
  const file = openAppendFile(path);
  file.truncate(wholeRowsUpTo(file.read(), iteration));
  return {
    path,
    write: (row) => file.append(Buffer.from(`${JSON.stringify(flatRow(row))}\n`)),
    sync: file.sync,
    close: file.close,
  };
}

/** The object of one line: the fixed fields, then the metrics in their own order. */
function flatRow({ metrics, ...fixed }: MetricsRow): Record<string, number> {
  return { ...fixed, ...metrics };
}

/** Bytes of the leading lines that are whole and not beyond `iteration`. */
function wholeRowsUpTo(bytes: Buffer, iteration: number): number {
  let kept = 0;
  for (let end = bytes.indexOf(0x0a); end >= 0; end = bytes.indexOf(0x0a, kept)) {
    const row = iterationOf(bytes.toString('utf8', kept, end));
    if (row === null || row > iteration) break;
    kept = end + 1;
  }
  return kept;
}

function iterationOf(line: string): number | null {
  try {
    const value: unknown = JSON.parse(line)?.iteration;
    return typeof value === 'number' ? value : null;
  } catch {
    return null;
  }
}
