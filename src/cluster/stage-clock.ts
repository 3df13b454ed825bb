/**
 * When a request passed which place on its way to a rollout process and back, for `bench:ray -- --only stages`. Off unless `OPERANT_RAY_STAGES` names a file, to which learner, bridge,
 * actors and rollout processes of one machine append a line each: request, host, stage, nanoseconds of the clock that they share. `ray_bridge.py` does the same.
 */
import { openSync, writeSync } from 'node:fs';

let open: { readonly path: string; readonly file: number } | null = null;

/** A look at the environment when it is off; a write of some 40 bytes when it is on. */
export function stamp(stage: string, host: number, requestId: number): void {
  const path = process.env.OPERANT_RAY_STAGES ?? '';
  if (path === '') return;
  if (open?.path !== path) open = { path, file: openSync(path, 'a', 0o600) };
  writeSync(open.file, `${requestId} ${host} ${stage} ${process.hrtime.bigint()}\n`);
}
