import type { Peer } from '../../src/modules/import-peer.ts';

/** MuJoCo's official WebAssembly build (Google DeepMind, Apache-2.0); its version is the engine's. Other versions simulate a little differently, so it is pinned. */
export const MUJOCO: Peer = { name: '@mujoco/mujoco', version: '3.14.0' };
