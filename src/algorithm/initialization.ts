/** A run that begins with what another one learned. */
import type { CheckpointContent } from '../checkpoint/content.ts';
import type { StatePart } from '../checkpoint/state-part.ts';
import type { WarmStart, WarmStartReport, WarmStartSelection } from '../checkpoint/warm-start.ts';
import { ConfigError } from '../errors.ts';
import type { Algorithm } from './algorithm.ts';
import type { Counters } from './shell-state.ts';
import { chooseWarmSources, inPolicy } from './warm-policies.ts';

export interface Initialization {
  /** What was taken; undefined = nothing was asked for. */
  report: WarmStartReport | undefined;
  readonly initializeFrom: NonNullable<Algorithm['initializeFrom']>;
}

/** @param policies those that learn. */
export function createInitialization(
  state: readonly StatePart[],
  counters: Counters,
  policies: readonly string[],
): Initialization {
  const initialization: Initialization = {
    report: undefined,
    initializeFrom(content, checkpoint, choice) {
      const { sources, left: anew } = chooseWarmSources(content, checkpoint, policies, choice.policies);
      const start = readWarmStart(state, content, { ...choice, sources });
      const { taken, apply } = start;
      const left = [...start.left, ...anew];
      refuseUseless(checkpoint, counters, choice.optimizer, { taken, left });
      for (const policy of Object.keys(choice.policies ?? {}))
        refuseUseless(checkpoint, counters, false, ofPolicy(policy, { taken, left }));
      apply();
      initialization.report = { checkpoint, taken, left };
      return initialization.report;
    },
  };
  return initialization;
}

/**
 * A warm start that would change nothing is one that was meant otherwise.
 *
 * @throws ConfigError `CONFIG_INIT_FROM`.
 */
function refuseUseless(
  checkpoint: string,
  { iteration }: Counters,
  wantsOptimizer: boolean,
  { taken, left }: Pick<WarmStartReport, 'taken' | 'left'>,
): void {
  if (iteration > 0) {
    const message = `A run is initialised from \`${checkpoint}\` before its first iteration, and this one has done ${iteration}: begin a new run.`;
    throw new ConfigError('CONFIG_INIT_FROM', message);
  }
  const list = left.map(({ name, why }) => `\n  ${name}: ${why}`).join('');
  const isLayer = (name: string) => !/ statistics$|(^|\/)optimizer of /.test(name);
  if (!taken.some(isLayer)) {
    const message = `Nothing of \`${checkpoint}\` fits the networks of this run:${list}\nUse the same network (hiddenSizes, recurrent, layer normalisation), or leave initFrom out.`;
    throw new ConfigError('CONFIG_INIT_FROM', message);
  }
  if (!wantsOptimizer || taken.some((name) => /(^|\/)optimizer of /.test(name))) return;
  const message = `initOptimizer asks for the optimizer's state, of which nothing in \`${checkpoint}\` fits:${list}\nLeave initOptimizer out.`;
  throw new ConfigError('CONFIG_INIT_FROM', message);
}

/** What came of one policy, by the names of its parts. */
function ofPolicy(
  policy: string,
  { taken, left }: Pick<WarmStartReport, 'taken' | 'left'>,
): Pick<WarmStartReport, 'taken' | 'left'> {
  const isOwn = (name: string) => name.startsWith(inPolicy(policy, ''));
  return { taken: taken.filter(isOwn), left: left.filter(({ name }) => isOwn(name)) };
}

/**
 * Reads what the parts can take of a checkpoint, of whatever run; nothing changes before the returned `apply` is called.
 *
 * @throws what the parts throw: CheckpointError `CHECKPOINT_STATE`, `CHECKPOINT_NETWORK`; ConfigError `CONFIG_INIT_NETWORKS`.
 */
function readWarmStart(
  parts: readonly StatePart[],
  content: CheckpointContent,
  selection: WarmStartSelection,
): WarmStart {
  const starts = parts.flatMap(({ readWarmStart: read }) => read?.(content, selection) ?? []);
  return {
    taken: starts.flatMap(({ taken }) => taken),
    left: starts.flatMap(({ left }) => left),
    apply() {
      for (const { apply } of starts) apply();
    },
  };
}
