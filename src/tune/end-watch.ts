/** Watches for what ends a study early though no trial is at fault: no room on the disk, a cluster that is gone, a metric that no run has. */
import { CheckpointError, type ClusterError, type ConfigError } from '../errors.ts';
import { freeDisk } from './disk-budget.ts';
import type { Study } from './study.ts';

/** @param end called once there is a reason to end. */
export function createEndWatch(folder: string, budgetMb: number | undefined, end: () => void) {
  let before: Promise<void> = Promise.resolve();
  let problem: Error | null = null;
  const look = async ({ trials }: Study) => {
    const maxBytes = (budgetMb ?? 0) * 2 ** 20;
    const numBytes = await freeDisk(folder, trials, maxBytes);
    if (numBytes <= maxBytes) return;
    problem = diskFull(
      `The study takes ${Math.ceil(numBytes / 2 ** 20)} MiB without the checkpoints of ended trials, and \`diskBudgetMb\` is ${budgetMb}: nothing is lost, resume it with more`,
    );
    end();
  };
  return {
    /** A process found no space. */
    full: (reason: string) => {
      problem ??= diskFull(
        `No space left for the study: nothing but what came after the last checkpoints is lost; free some and resume it. ${reason}`,
      );
      end();
    },
    /** The cluster is gone, or no run has the metric. */
    lost: (error: ClusterError | ConfigError) => {
      problem ??= error;
      end();
    },
    /** Makes room for what comes, where there is a budget. */
    free: (study: Study): Promise<void> => {
      if (budgetMb === undefined) return before;
      before = before.then(() => look(study));
      return before;
    },
    /** @throws CheckpointError `CHECKPOINT_DISK_FULL`, ClusterError, ConfigError `CONFIG_METRIC`: why the study was ended. */
    check: () => {
      if (problem !== null) throw problem;
    },
  };
}

const diskFull = (message: string) => new CheckpointError('CHECKPOINT_DISK_FULL', message);
