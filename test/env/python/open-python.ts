/** Pythons that the tests find, and vector environments in them with rows to write into. */
import { execFileSync, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { registerShippedEnvs } from '../../../envs/index.ts';
import type { EnvFaultHandling } from '../../../src/env/env-faults.ts';
import { resolveEnv } from '../../../src/env/env-source.ts';
import { makeVectorEnv } from '../../../src/env/load-env.ts';
import type { AutoresetMode, StepRows } from '../../../src/env/vector-env.ts';
import type { JsonObject } from '../../../src/json.ts';
import { makeRows } from '../step-rows.ts';

registerShippedEnvs();

/** Of the checks, where a skip is a failure; else what is found. */
const CANDIDATES = [process.env.OPERANT_GYMNASIUM_PYTHON, process.env.OPERANT_PYTHON, 'python3'];

const imports = (packages: string) => (python: string | undefined) =>
  python !== undefined && spawnSync(python, ['-c', `import ${packages}`], { stdio: 'ignore' }).status === 0;

/** A Python with these packages; null = none, which `OPERANT_REQUIRE_PYTHON` makes an error. */
export function findPythonWith(packages: string): string | null {
  const found = CANDIDATES.find(imports(packages)) ?? null;
  if (found !== null) return found;
  if (process.env.OPERANT_REQUIRE_PYTHON === '1') throw new Error(`No Python here imports ${packages}.`);
  console.log(`No Python here imports ${packages}: environments that need it are not tried.`);
  return null;
}

export const WORLDS = fileURLToPath(new URL('./fixtures/worlds.py', import.meta.url));

export async function openPython(
  id: string,
  python: string,
  numEnvs: number,
  options: JsonObject = {},
  mode: AutoresetMode = 'same-step',
  faults?: EnvFaultHandling,
) {
  const env = await makeVectorEnv(resolveEnv(id, { python, ...options }), numEnvs, mode, faults);
  onTestFinished(() => env.close?.());
  const metrics: [number, string, number][] = [];
  const out: StepRows = {
    ...makeRows(env),
    onMetric: (n, name, value) => void metrics.push([n, name, value]),
  };
  return { env, out, metrics };
}

/** What a script prints as JSON. */
export function askPython<T>(python: string, script: string): T {
  return JSON.parse(execFileSync(python, ['-c', script], { encoding: 'utf8' })) as T;
}
