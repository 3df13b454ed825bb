/** Runners and learner come up together. */
import type { RunnerGroup } from '../rollout/runner-group.ts';

/** The runners start while the learner is made: neither needs the other, and both take a while. Nothing is left running on failure. */
export async function startAndCreate<L extends { dispose(): Promise<void> }>(
  runners: Pick<RunnerGroup, 'start' | 'stop'>,
  create: () => Promise<L>,
): Promise<L> {
  const [started, created] = await Promise.allSettled([runners.start(null), create()]);
  if (created.status === 'fulfilled' && started.status === 'fulfilled') return created.value;
  await runners.stop();
  if (created.status === 'rejected') throw created.reason;
  await created.value.dispose();
  throw (started as PromiseRejectedResult).reason;
}
