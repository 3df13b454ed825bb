/** Simulators that connect, by their ids: what `external:`, `stdio:` and `godot:` load. */
export { externalEnv, externalVectorEnv } from '../src/env/external/external-env.ts';
