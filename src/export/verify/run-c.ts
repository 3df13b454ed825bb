/** Compiles a C export with its self-test and runs it. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { EngineError } from '../../errors.ts';
import { errorCode } from '../../files/durable-files.ts';
import { missingRuntime } from './missing-runtime.ts';

const run = promisify(execFile);
const FLAGS = ['-std=c99', '-O1', '-Wall', '-Wextra', '-Werror', '-DPOLICY_SELF_TEST', '-x', 'c'];

/** With `CC`, or `cc`. A computer's compiler, not a microcontroller's: what is checked are the numbers. */
export async function runC(file: string): Promise<{ runtime: string; largestDifference: number }> {
  const compiler = process.env.CC ?? 'cc';
  const folder = await mkdtemp(join(tmpdir(), 'operant-export-'));
  try {
    const program = join(folder, 'self-test');
    await run(compiler, [...FLAGS, file, '-o', program, '-lm']).catch((error: unknown) => {
      if (errorCode(error) === 'ENOENT')
        throw missingRuntime('a C compiler', 'install one, or name it by CC', error);
      const { stderr = '' } = error as { stderr?: string };
      const message = `${compiler} does not compile ${file}: ${stderr.trim().split('\n')[0]}`;
      throw new EngineError('ENGINE_EXPORT', message, { cause: error });
    });
    const stdout = await run(program, []).then(
      (done) => done.stdout,
      // It ends with 1 where it differs, and has said by how much.
      (error: { stdout?: string }) => error.stdout ?? '',
    );
    return { runtime: compiler, largestDifference: Number(stdout.trim() || Number.NaN) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
