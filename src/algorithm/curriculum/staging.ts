/** What a shell does with options that change: asks the curriculum, tells the runners, keeps both in checkpoints. */
import { isDeepStrictEqual } from 'node:util';
import { atField, readField } from '../../checkpoint/field-state.ts';
import type { StatePart } from '../../checkpoint/state-part.ts';
import { valueIn } from '../../config/resume-rules.ts';
import type { EnvSource } from '../../env/env-source.ts';
import { ConfigError } from '../../errors.ts';
import type { JsonObject, JsonValue } from '../../json.ts';
import type { RunnerGroup } from '../../rollout/runner-group.ts';
import { type CheckOptions, checkEnvOptions } from './check-options.ts';
import { curriculumSchema, type RunningCurriculum, type StageReport } from './curriculum.ts';

export interface StagingParts {
  readonly runners: Pick<RunnerGroup, 'setEnvOptions'>;
  readonly source: EnvSource;
  /** null = options change by `setEnvOptions` alone. */
  readonly curriculum: RunningCurriculum | null;
  /** Default: for an environment of one agent. */
  readonly check?: CheckOptions;
}

export interface Staging {
  /** After an iteration: changes options where it is time. @returns its metrics, and the options where they changed. */
  advance(report: StageReport): Promise<{
    readonly metrics: Readonly<Record<string, number>>;
    readonly events: { readonly envOptions?: JsonObject };
  }>;
  /** As `Algorithm.setEnvOptions`. */
  setEnvOptions(options: JsonObject): Promise<void>;
  /** Comes after the environments: these have what they were saved with by then. */
  readonly states: readonly StatePart[];
}

/** @param config this run's configuration, by section. */
export function createStaging(
  { runners, source, curriculum, check = checkEnvOptions }: StagingParts,
  config: JsonObject,
): Staging {
  const configured = valueIn(config, 'environment', 'curriculum') ?? null;
  const hindsight = valueIn(config, 'training', 'hindsight') ?? 'none';
  return {
    async advance(report) {
      if (curriculum === null) return { metrics: {}, events: {} };
      const envOptions = await curriculum.advance(report);
      if (envOptions !== null) await runners.setEnvOptions(envOptions);
      const metrics = { 'rollout/curriculumStage': curriculum.stage };
      return { metrics, events: envOptions === null ? {} : { envOptions } };
    },
    async setEnvOptions(options) {
      if (curriculum !== null) {
        throw new ConfigError(
          'CONFIG_CONFLICT',
          'The curriculum of this run decides which options episodes have: leave `curriculum` out to call setEnvOptions.',
        );
      }
      if (hindsight !== 'none') {
        throw new ConfigError(
          'CONFIG_CONFLICT',
          'Goals are relabelled with the rewards of the options that the run began with: setEnvOptions does not go with `hindsight`.',
        );
      }
      await check(source, options);
      await runners.setEnvOptions(options);
    },
    states: [stateOf(runners, curriculum, configured)],
  };
}

function stateOf(
  runners: StagingParts['runners'],
  curriculum: RunningCurriculum | null,
  configured: JsonValue,
): StatePart {
  return {
    name: 'curriculum',
    files: ['state.json'],
    getState: () =>
      curriculum === null
        ? {}
        : {
            json: { 'state.json': atField(['curriculum'], curriculum.getState() as unknown as JsonValue) },
          },
    readState(content) {
      const before = valueIn(content.json['config.json'] ?? {}, 'environment', 'curriculum') ?? null;
      const isAsBefore = isDeepStrictEqual(before, configured);
      if (isAsBefore && curriculum === null) return () => undefined;
      if (isAsBefore && curriculum !== null) {
        const saved = readField(content, ['curriculum'], curriculumSchema);
        return () => curriculum.setState(saved);
      }
      return async () => {
        curriculum?.restart();
        await runners.setEnvOptions(curriculum?.initial ?? {});
      };
    },
  };
}
