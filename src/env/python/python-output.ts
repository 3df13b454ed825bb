/** What Python prints: into a file that has no name, from there to stderr line by line, and its end into error messages. */
import { closeSync, fstatSync, ftruncateSync, openSync, readSync, unlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A log that grows beyond this begins anew: what stood there has been passed on. */
const MAX_BYTES = 2 ** 24;
const TAIL_BYTES = 4096;
/** So often is it looked at while steps are taken. */
const INTERVAL_MS = 500;

export interface PythonOutput {
  /** For the process's stdout and stderr. */
  readonly fd: number;
  /** Passes on what is new; with `now` false, only when it was not looked at for a while. */
  passOn(now: boolean): void;
  /** The last lines. */
  tail(): string;
  close(): void;
}

/** @param unique a name that no other file has. */
export function openPythonOutput(unique: string, prefix: string): PythonOutput {
  const path = join(tmpdir(), `${unique}.log`);
  const fd = openSync(path, 'ax+', 0o600);
  unlinkSync(path);
  let seen = 0;
  let lookedAt = performance.now();
  let rest = '';
  let last = '';
  const read = () => {
    const { size } = fstatSync(fd);
    if (size < seen) seen = 0;
    const bytes = Buffer.alloc(Math.min(size - seen, MAX_BYTES));
    const count = bytes.length === 0 ? 0 : readSync(fd, bytes, 0, bytes.length, seen);
    seen += count;
    if (seen > MAX_BYTES) {
      ftruncateSync(fd, 0);
      seen = 0;
    }
    return bytes.toString('utf8', 0, count);
  };
  const passOn = (now: boolean) => {
    const time = performance.now();
    if (!now && time - lookedAt < INTERVAL_MS) return;
    lookedAt = time;
    const text = read();
    if (text === '' && !(now && rest !== '')) return;
    last = (last + text).slice(-TAIL_BYTES);
    const lines = (rest + text).split('\n');
    rest = now ? '' : (lines.pop() ?? '');
    for (const line of lines) if (line !== '') process.stderr.write(`[${prefix}] ${line}\n`);
  };
  return {
    fd,
    passOn,
    tail() {
      passOn(true);
      return last.trimEnd();
    },
    close() {
      passOn(true);
      closeSync(fd);
    },
  };
}
