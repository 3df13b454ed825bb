/** Where a network of a user's own lies. */
import { locateModule } from '../modules/module-reference.ts';
import type { LocateNetwork } from './policy-setup.ts';

/** By a path such as `./network.ts#name`, from `cwd`, or by a package's name. @throws ConfigError `CONFIG_NETWORK` when it is not there. */
export const locateNetwork: LocateNetwork = (network, cwd = process.cwd()) =>
  locateModule(network, { code: 'CONFIG_NETWORK', what: 'network' }, cwd);
