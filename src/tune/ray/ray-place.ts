/** What a user says of the cluster on which a study's trials run. */

import { showValue } from '../../config/problems.ts';
import { isPlainObject } from '../../config/value-kind.ts';
import { ConfigError } from '../../errors.ts';

export interface RayPlaceOptions {
  /** HOST:PORT of the head, ray://HOST:PORT, or auto: the cluster that this machine is a node of. @defaultValue 'auto' */
  readonly rayAddress: string;
  /** What a trial's actor reserves: `CPU`, `GPU`, `memory` (bytes), resources of one's own. @defaultValue {"CPU": 1} */
  readonly trialResources: Readonly<Record<string, number>>;
  /** Labels of the nodes that may run trials. @defaultValue {} */
  readonly trialLabels: Readonly<Record<string, string>>;
  /** A host that shows no sign of life for so long is lost, and its trial goes on elsewhere. @defaultValue 10 */
  readonly hostDeadlineSeconds: number;
  /** The project that is sent; null = the folder of the nearest package.json above the working directory. */
  readonly rayWorkingDir: string | null;
  /** MiB that may be sent to the hosts in all. @defaultValue 200 */
  readonly rayPackageMb: number;
  /** Use a cluster on other machines without token authentication: whoever reaches it runs code on it. @defaultValue false */
  readonly insecure: boolean;
}

export const RAY_PLACE_DEFAULTS: RayPlaceOptions = {
  rayAddress: 'auto',
  trialResources: { CPU: 1 },
  trialLabels: {},
  hostDeadlineSeconds: 10,
  rayWorkingDir: null,
  rayPackageMb: 200,
  insecure: false,
};

const isNumber = (value: unknown) => typeof value === 'number' && Number.isFinite(value);
const isRecord = (value: unknown, isRight: (each: unknown) => boolean) =>
  isPlainObject(value) && Object.values(value).every(isRight);

/** What each may be. */
const CHECKS: Readonly<
  Record<keyof RayPlaceOptions, readonly [expected: string, isRight: (value: unknown) => boolean]>
> = {
  rayAddress: ['HOST:PORT, ray://HOST:PORT or auto', (value) => typeof value === 'string'],
  trialResources: [
    'amounts >= 0 by name, such as {"CPU": 1}',
    (value) => isRecord(value, (amount) => isNumber(amount) && Number(amount) >= 0),
  ],
  trialLabels: [
    'texts by name, such as {"role": "trials"}',
    (value) => isRecord(value, (text) => typeof text === 'string'),
  ],
  hostDeadlineSeconds: ['a number >= 1', (value) => isNumber(value) && Number(value) >= 1],
  rayWorkingDir: ['a folder path', (value) => value === null || typeof value === 'string'],
  rayPackageMb: [
    'an integer from 1 to 500',
    (value) => Number.isSafeInteger(value) && Number(value) >= 1 && Number(value) <= 500,
  ],
  insecure: ['true or false', (value) => typeof value === 'boolean'],
};

/** With what was not given. @throws ConfigError `CONFIG_STUDY` naming the option, and what it may be. */
export function completeRayPlace(given: Partial<RayPlaceOptions>): RayPlaceOptions {
  const options = { ...RAY_PLACE_DEFAULTS, ...given };
  for (const [name, value] of Object.entries(options)) {
    if (!Object.hasOwn(CHECKS, name)) {
      const known = Object.keys(CHECKS).join(', ');
      throw new ConfigError('CONFIG_STUDY', `\`ray\` has no option \`${name}\`; there are: ${known}.`);
    }
    const [expected, isRight] = CHECKS[name as keyof RayPlaceOptions];
    if (isRight(value)) continue;
    throw new ConfigError('CONFIG_STUDY', `Expected \`${name}\` to be ${expected}, got ${showValue(value)}.`);
  }
  return options;
}
