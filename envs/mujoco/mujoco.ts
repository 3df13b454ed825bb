/**
 * MuJoCo, loaded with the environment that needs it: one instance and one heap a thread. What that costs, in ms and MB (150 to 230 and 52 to 56 on two cores of
 * an AMD EPYC, six times, Node 20):
 *
 *     node --input-type=module -e "const { rss } = process.memoryUsage; const [t, m] = [performance.now(), rss()];
 *       await (await import('@mujoco/mujoco')).default(); console.log(performance.now() - t, (rss() - m) / 2 ** 20)"
 */
import { importPeer } from '../../src/modules/import-peer.ts';
import { MUJOCO } from './peer.ts';

const { default: load } = await importPeer(
  MUJOCO,
  'An environment of MuJoCo',
  () => import('@mujoco/mujoco'),
);

/** @throws ConfigError `CONFIG_PEER_MISSING`, to whoever imports the environment. */
export const mujoco = await load();
