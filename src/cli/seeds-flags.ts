/** The flags that make `train` many runs. */
import type { FlagSpec } from './flags.ts';

/** The flags of `train` that make it many runs; with the first of them, the others have a meaning. */
export const SEEDS_FLAGS: readonly FlagSpec[] = [
  {
    name: 'seeds',
    form: '<list>',
    doc: 'Train once for each of these seeds, in processes: 1..5, or 0,3,7. --out gets a run folder for each, and seeds.json; one that is there goes on.',
    group: 'train',
  },
  {
    name: 'parallel',
    form: '<integer>',
    doc: 'With --seeds, processes side by side. [the number of cores]',
    group: 'train',
  },
];
