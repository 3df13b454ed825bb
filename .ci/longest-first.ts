/**
 * Test files that are known to take long, first: one that begins when the others are done leaves all workers but its own with nothing to do.
 * Vitest would go by how long a file's text is, where it has not measured the file itself: in a clean clone.
 */
import {
  BaseSequencer,
  type TestSequencerConstructor,
  type TestSpecification,
  type Vitest,
} from 'vitest/node';

/** @param paths relative to the root, the longest first. Which group a file is in stays. */
export function longestFirst(paths: readonly string[]): TestSequencerConstructor {
  return class {
    readonly #base: BaseSequencer;

    constructor(vitest: Vitest) {
      this.#base = new BaseSequencer(vitest);
    }

    shard(files: TestSpecification[]) {
      return this.#base.shard(files);
    }

    async sort(files: TestSpecification[]) {
      const sorted = await this.#base.sort(files);
      const named = paths.flatMap((path) => sorted.filter(({ moduleId }) => moduleId.endsWith(`/${path}`)));
      return [...named, ...sorted.filter((file) => !named.includes(file))];
    }
  };
}
