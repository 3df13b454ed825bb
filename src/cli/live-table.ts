/** A table that is drawn anew in place, on a terminal. */
import type { OutputStream } from '../run/run-output.ts';

export interface LiveTable {
  /** Draws these lines in place of those before, cut to the terminal's width. */
  show(lines: readonly string[]): void;
  /** A line that stays, above the table. */
  say(line: string): void;
  /** Takes the table off. */
  end(): void;
}

const COLUMNS = 80;

/** One write a drawing, so nothing flickers. */
export function createLiveTable(stream: OutputStream): LiveTable {
  let shown: readonly string[] = [];
  const up = () => (shown.length === 0 ? '\r' : `\r\u001b[${shown.length}A`);
  const draw = (above: string, lines: readonly string[]) => {
    const width = (stream.columns ?? COLUMNS) - 1;
    const cut = lines.map((line) => (line.length > width ? line.slice(0, width) : line));
    stream.write(`${up()}\u001b[J${above}${cut.map((line) => `${line}\n`).join('')}`);
    shown = cut;
  };
  return {
    show: (lines) => draw('', lines),
    say: (line) => draw(`${line}\n`, shown),
    end: () => {
      if (shown.length > 0) draw('', []);
    },
  };
}
