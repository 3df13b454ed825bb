/** What relaxed SIMD depends on. */
import { readFileSync } from 'node:fs';

/** Whether this processor fuses multiply and add; where nobody says so it is taken to. */
export function hasFma(): boolean {
  try {
    const flags = /^flags\s*:(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1];
    return flags === undefined || /\bfma\b/.test(flags);
  } catch {
    return true;
  }
}
