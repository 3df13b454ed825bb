/** How the policy of a checkpoint plays a small game, as it is and as it was. */
import type { CheckpointContent } from '../../checkpoint/content.ts';
import { unflattenObservation } from '../../env/flatten-space.ts';
import type { Space } from '../../env/spaces.ts';
import { ConfigError } from '../../errors.ts';
import { mlpParameterLayout } from '../../policy/networks/mlp-parameters.ts';
import { leagueSchema } from '../league/league-table.ts';
import { tensorsToParameters } from '../parameter-content.ts';
import { createInspect, type Inspect } from '../policy-calls.ts';
import { readPolicyFiles } from '../read-policy.ts';
import type { Strategy } from './exploitability.ts';

export interface CheckpointStrategies {
  readonly policy: Strategy;
  /** Past versions of self-play that the checkpoint holds, oldest first. */
  readonly past: readonly Strategy[];
}

/**
 * @param path for messages.
 * @throws CheckpointError as `loadPolicy`; ConfigError `CONFIG_POLICY` for a policy whose actions are not Discrete or that is no MLP.
 */
export function strategiesOf(content: CheckpointContent, path: string, policy: string): CheckpointStrategies {
  const { spec, weights, statistics, observationSpace } = readPolicyFiles(content, path, policy);
  const { distribution, network } = spec;
  if (distribution.kind !== 'categorical' || distribution.sizes.length !== 1 || network.kind !== 'mlp')
    throw new ConfigError(
      'CONFIG_POLICY',
      `The policy \`${policy}\` of ${path} is no MLP with Discrete actions: nothing else is judged exactly.`,
    );
  const layout = mlpParameterLayout(spec);
  const strategy = (parameters: Float32Array, scales: typeof statistics) =>
    strategyFrom(createInspect(spec, parameters, scales, observationSpace), observationSpace);
  const league = leagueSchema.safeParse(content.json['league.json']);
  const past = (league.success ? league.data.members : []).flatMap(({ slot, name }) => {
    if (!name.startsWith(`${policy}@`)) return []; // of an exploiter
    const vector = content.tensors['league.safetensors']?.[`slot_${slot}`]?.data;
    if (!(vector instanceof Float32Array)) return [];
    const mean = vector.subarray(layout.size, layout.size + spec.observationSize);
    const inverseStd = vector.subarray(layout.size + spec.observationSize);
    const scales = spec.normalizeObservations ? { mean, inverseStd } : null;
    return [strategy(vector.subarray(0, layout.size), scales)];
  });
  return { policy: strategy(tensorsToParameters(weights, layout), statistics), past };
}

function strategyFrom(inspect: Inspect, space: Space): Strategy {
  return ({ observation, mask, actions }) => {
    const { distribution } = inspect(
      unflattenObservation(space, observation),
      mask === null ? {} : { actionMask: mask },
    );
    if (distribution.kind !== 'categorical') throw new TypeError('Expected a categorical policy.');
    const [probabilities] = distribution.probabilities;
    return actions.map((action) => probabilities[action]);
  };
}
