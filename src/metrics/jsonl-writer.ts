/** progress.jsonl: one JSON object per iteration. */
import { lastLineOf, openAppendFile } from './append-file.ts';
import { type MetricsRow, type MetricsWriter, rowFrom } from './metrics-writer.ts';

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
    write: (row) => file.append(lineOf(row)),
    amend({ iteration, metrics }) {
      const bytes = file.read();
      const begin = lastLineOf(bytes);
      const line = bytes.toString('utf8', begin);
      if (iterationOf(line) !== iteration) return;
      const row = rowFrom(JSON.parse(line) as Record<string, number>);
      const amended = lineOf({ ...row, metrics: { ...row.metrics, ...metrics } });
      file.replace(Buffer.concat([bytes.subarray(0, begin), amended]));
    },
    sync: file.sync,
    close: file.close,
  };
}

/** The fixed fields, then the metrics in their own order. */
function lineOf({ metrics, ...fixed }: MetricsRow): Buffer {
  return Buffer.from(`${JSON.stringify({ ...fixed, ...metrics })}\n`);
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
