/** Which Python is meant. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';

/**
 * `OPERANT_PYTHON`, else the active virtual environment's, else what `python3` (`python` on Windows) is on the PATH. Whether it is there and has what is
 * needed shows when it is started.
 */
export function pythonCommand(environment: NodeJS.ProcessEnv = process.env): string {
  const { OPERANT_PYTHON, VIRTUAL_ENV } = environment;
  if (OPERANT_PYTHON !== undefined && OPERANT_PYTHON !== '') return OPERANT_PYTHON;
  if (VIRTUAL_ENV !== undefined && VIRTUAL_ENV !== '') {
    const inside = process.platform === 'win32' ? ['Scripts', 'python.exe'] : ['bin', 'python'];
    const path = join(VIRTUAL_ENV, ...inside);
    if (existsSync(path)) return path;
  }
  return process.platform === 'win32' ? 'python' : 'python3';
}
