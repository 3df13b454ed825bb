/** An sbatch file: Ray's head and its nodes by `ray symmetric-run`, the learner on the first. */
import { commandLine, type LaunchOptions, RAY_VERSION, shellQuoted } from './launch-options.ts';

/**
 * `symmetric-run` (Ray 2.49 and later) starts a head on the first machine and nodes on the others, waits until all are there, runs the command on the head alone and ends everything
 * when it is over.
 */
export function slurmScript(options: LaunchOptions): string {
  const { name, numHosts, cpusPerHost, memoryGiB, gpus, runs } = options;
  const command = options.command.length > 0 ? options.command : ['train', '--env', 'CartPole'];
  return `${[
    '#!/bin/bash',
    `#SBATCH --job-name=${name}`,
    `#SBATCH --nodes=${numHosts}`,
    '#SBATCH --ntasks-per-node=1',
    '#SBATCH --exclusive',
    `#SBATCH --cpus-per-task=${cpusPerHost}`,
    `#SBATCH --mem=${memoryGiB}G`,
    ...(gpus > 0 ? [`#SBATCH --gpus-per-task=${gpus}`] : []),
    '#SBATCH --signal=B:TERM@120',
    '',
    '# Learner and rollout hosts in one allocation. Needs on every machine: Node, and a Python with',
    `# ray[default]==${RAY_VERSION} and numpy (OPERANT_PYTHON, or an active virtual environment), both on the PATH.`,
    '# Whole machines: Ray refuses one on which another Ray runs.',
    '# 120 seconds before the time is up the run is told to end, and writes a checkpoint: --resume goes on from it.',
    'set -euo pipefail',
    '',
    `runs=$(realpath -m ${shellQuoted(runs)}) # on a file system that all machines share`,
    'mkdir -p "$runs"',
    'head=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)',
    'port=$((6379 + SLURM_JOB_ID % 2000)) # what an earlier job has left must not answer',
    '',
    '# A token of this job alone, in a file that only its owner reads.',
    'export RAY_AUTH_MODE=token RAY_AUTH_TOKEN_PATH="$runs/.ray-token-$SLURM_JOB_ID"',
    '(umask 077; head -c 32 /dev/urandom | od -An -tx1 | tr -d " \\n" > "$RAY_AUTH_TOKEN_PATH")',
    'trap \'rm -f "$RAY_AUTH_TOKEN_PATH"\' EXIT',
    'export RAY_USAGE_STATS_ENABLED=0',
    '',
    'srun --kill-on-bad-exit=1 ray symmetric-run \\',
    `  --address "$head:$port" --min-nodes "$SLURM_JOB_NUM_NODES" --num-cpus ${cpusPerHost} -- \\`,
    `  ${commandLine(command, options, runs)} &`,
    'wait_for=$!',
    'trap \'kill -TERM "$wait_for"\' TERM',
    'wait "$wait_for"',
  ].join('\n')}\n`;
}
