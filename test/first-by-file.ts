/** Once over all threads and processes: whoever makes the file was the first. */
import { closeSync, openSync } from 'node:fs';

export function isFirst(path: string): boolean {
  try {
    closeSync(openSync(path, 'wx'));
    return true;
  } catch {
    return false; // somebody was here before
  }
}
