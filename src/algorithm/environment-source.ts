/** Which environment a config means, and what it looks like. */
import { isDeepStrictEqual } from 'node:util';
import type { commonOptions } from '../config/common-options.ts';
import type { ResolvedConfig } from '../config/option.ts';
import type { FrameStack } from '../env/env.ts';
import { type EnvSource, factorySource, resolveEnv } from '../env/env-source.ts';
import { flattenActionSpace } from '../env/flatten-action.ts';
import { flattenObservationSpace } from '../env/flatten-space.ts';
import { makeVectorEnv } from '../env/load-env.ts';
import { describeSpace, spaceToJson } from '../env/space-json.ts';
import type { FlatAction, FlatObservation, Space } from '../env/spaces.ts';
import type { VectorEnv } from '../env/vector-env.ts';
import { checkWrappers } from '../env/wrappers/listed-wrappers.ts';
import { ConfigError } from '../errors.ts';
import type { JsonObject, JsonValue } from '../json.ts';

export function environmentSource({
  environment,
}: Pick<ResolvedConfig<typeof commonOptions>, 'environment'>): EnvSource {
  const { env, envOptions, maxEpisodeSteps, wrappers, previousInputs, python } = environment;
  const found = typeof env === 'function' ? factorySource(env, envOptions) : resolveEnv(env, envOptions);
  if (isInPython(found.id) && 'python' in found.options)
    throw new ConfigError(
      'CONFIG_ENV_OPTION',
      `${found.id} has no option \`python\` in \`envOptions\`, where a checkpoint would bring a program unasked: use \`--python\` (\`python\` of the environment section).`,
    );
  const source = python === null ? found : withPython(found, python);
  return {
    ...source,
    ...(maxEpisodeSteps !== null && { maxEpisodeSteps }),
    ...(wrappers.length > 0 && { wrappers: checkWrappers(wrappers) }),
    ...(previousInputs !== null && { previousInputs }),
  };
}

/** Whether `--python` says anything to it. */
function isInPython(env: unknown): boolean {
  return typeof env === 'string' && /^(gymnasium|envpool|python|pettingzoo):/.test(env);
}

function withPython(source: EnvSource, python: string): EnvSource {
  if (isInPython(source.id)) return { ...source, options: { ...source.options, python } };
  throw new ConfigError(
    'CONFIG_PYTHON',
    `\`python\` is ${python}, and ${source.id} is no environment in Python (gymnasium:ID, envpool:ID, pettingzoo:FAMILY/NAME, python:FILE#NAME): leave it out.`,
  );
}

/**
 * Where evaluation plays: `evaluationEnv`, or training's environment under `evaluationEnvOptions`; null = as in training.
 *
 * @param trained what the policy was made for.
 * @throws ConfigError `CONFIG_EVALUATION_ENV` when its spaces are others.
 */
export async function evaluationSource(
  { environment, evaluation }: Pick<ResolvedConfig<typeof commonOptions>, 'environment' | 'evaluation'>,
  trained: Pick<VectorEnv, 'observationSpace' | 'actionSpace'>,
): Promise<EnvSource | null> {
  const source = ownEvaluationSource({ environment, evaluation });
  if (source === null) return null;
  await probeEnvironment(source, (env) => requireSameSpaces(source.id, env, trained));
  return source;
}

/** The same, without a look at its spaces. */
export function ownEvaluationSource({
  environment,
  evaluation: { evaluationEnv, evaluationEnvOptions },
}: Pick<ResolvedConfig<typeof commonOptions>, 'environment' | 'evaluation'>): EnvSource | null {
  if (evaluationEnv === null && Object.keys(evaluationEnvOptions).length === 0) return null;
  return environmentSource({
    environment:
      evaluationEnv === null
        ? { ...environment, envOptions: { ...environment.envOptions, ...evaluationEnvOptions } }
        : elsewhere(environment, evaluationEnv, evaluationEnvOptions),
  });
}

type EnvironmentSection = ResolvedConfig<typeof commonOptions>['environment'];

/** The section for another environment than the run's: what was said of that one alone is left out. */
export function elsewhere(
  environment: EnvironmentSection,
  env: EnvironmentSection['env'],
  envOptions: JsonObject,
): EnvironmentSection {
  const python = isInPython(env) ? environment.python : null;
  return { ...environment, env, envOptions, maxEpisodeSteps: null, python };
}

/** @throws ConfigError `CONFIG_EVALUATION_ENV` naming the space that is another one. */
export function requireSameSpaces(
  id: string,
  { observationSpace, actionSpace }: Pick<VectorEnv, 'observationSpace' | 'actionSpace'>,
  trained: Pick<VectorEnv, 'observationSpace' | 'actionSpace'>,
): void {
  for (const [name, here, there] of [
    ['observations', observationSpace, trained.observationSpace],
    ['actions', actionSpace, trained.actionSpace],
  ] as const) {
    if (isDeepStrictEqual(shapeOf(here), shapeOf(there))) continue;
    throw new ConfigError(
      'CONFIG_EVALUATION_ENV',
      `${id} has ${name} ${describeSpace(here)}, and the policy was trained for ${describeSpace(there)}: evaluate it in an environment with the same spaces.`,
    );
  }
}

/** Bounds of observations may differ; what a policy reads and gives may not. */
function shapeOf(space: Space): JsonValue {
  return JSON.parse(
    JSON.stringify(spaceToJson(space), (key, value) => (key === 'low' || key === 'high' ? null : value)),
  ) as JsonValue;
}

/** What networks are made for. */
export interface EnvDescription {
  readonly observationSpace: Space;
  readonly actionSpace: Space;
  readonly observation: FlatObservation;
  readonly action: FlatAction;
  /** Elements of an action mask; 0 = none. */
  readonly actionMaskSize: number;
  /** How its observations are stacked, where a wrapper did that; null = they are whole. */
  readonly frameStack: FrameStack | null;
}

/** Looks at one environment with `look`, and closes it again. */
export async function probeEnvironment<T>(source: EnvSource, look: (env: VectorEnv) => T): Promise<T> {
  const probe = await makeVectorEnv(source, 1);
  try {
    return look(probe);
  } finally {
    probe.close?.();
  }
}

/** @throws ConfigError `CONFIG_ACTION_SPACE` for an action space that no policy has. */
export function describeEnvironment({
  observationSpace,
  actionSpace,
  actionMaskSize,
  frameStack,
}: VectorEnv): EnvDescription {
  const observation = flattenObservationSpace(observationSpace);
  return {
    observationSpace,
    actionSpace,
    observation,
    action: flattenActionSpace(actionSpace),
    actionMaskSize,
    frameStack: frameStack ?? null,
  };
}
