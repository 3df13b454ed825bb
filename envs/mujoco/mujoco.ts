/** MuJoCo, loaded with the environment that needs it: one instance and one heap a thread, about 0.5 s and 60 MB. */
import { importPeer } from '../../src/modules/import-peer.ts';
import { MUJOCO } from './peer.ts';

const { default: load } = await importPeer(
  MUJOCO,
  'An environment of MuJoCo',
  () => import('@mujoco/mujoco'),
);

/** @throws ConfigError `CONFIG_PEER_MISSING`, to whoever imports the environment. */
export const mujoco = await load();
