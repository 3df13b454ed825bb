/**
 * `npm run bench:serve`: a served policy beside a bare `node:http` handler and Python's servers, under overload, and against what clients and disks do to it.
 *
 * `-- --only speed,overload,overload-tensorflow,fuzz,soak` picks sections (default: speed and overload). `--rounds 5` in which the servers take turns; `--python PATH` names a Python with
 * fastapi, uvicorn, torch and onnxruntime, `--ray-python PATH` one with ray[serve]; without one that peer is left out. `--seconds 60` of overload; `--bodies 100000` to
 * fuzz; `--minutes 60` of soak; `--seed 1`. The exit status is 1 when a campaign found a failure.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { option } from './harness.ts';
import { describeMachine, load, machineLine } from './machine.ts';
import { runFuzz, runSoak } from './serve/campaigns.ts';
import { measureOverload, SLOW } from './serve/overload.ts';
import { measureSpeed } from './serve/speed.ts';

const folder = mkdtempSync(join(tmpdir(), 'operant-bench-'));
const seed = Number(option('seed', '1'));
/** Each says whether all is as it should be. */
const SECTIONS: Readonly<Record<string, () => Promise<boolean>>> = {
  speed: () =>
    measureSpeed(folder, {
      numRounds: Number(option('rounds', '5')),
      python: option('python', ''),
      rayPython: option('ray-python', ''),
    }),
  overload: () => measureOverload(folder, Number(option('seconds', '60')), SLOW.kernels),
  'overload-tensorflow': () => measureOverload(folder, Number(option('seconds', '60')), SLOW.tensorflow),
  fuzz: () => runFuzz(folder, { numBodies: Number(option('bodies', '100000')), seed }),
  soak: () => runSoak(folder, { seconds: Number(option('minutes', '60')) * 60, seed }),
};

console.log(`${machineLine(describeMachine())}\nload before: ${load()}`);
try {
  for (const name of option('only', 'speed,overload').split(',')) {
    console.log(`\n## ${name}\n`);
    if (!(await SECTIONS[name]())) process.exitCode = 1;
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
