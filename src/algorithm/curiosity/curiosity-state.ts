/** Curiosity's part of a checkpoint: its networks, Adam's state, statistics, counts and stream. */
import * as z from 'zod/mini';
import {
  countSchema,
  momentsSchema,
  numbersSchema,
  readField,
  streamSchema,
} from '../../checkpoint/field-state.ts';
import type { StatePart } from '../../checkpoint/state-part.ts';
import type { JsonValue } from '../../json.ts';
import type { ObjectiveLearner } from '../../learner/objective-learner.ts';
import type { Stream } from '../../random/streams.ts';
import type { ObservationNormalizer } from '../../statistics/running-moments.ts';
import type { RewardScaler } from '../../targets/reward-scaler.ts';
import type { ParameterLayout } from '../../weights/parameter-layout.ts';
import { parametersToTensors, tensorsToParameters } from '../parameter-content.ts';
import type { VisitCounts } from './visit-counts.ts';

export interface CuriosityParts {
  readonly learner: ObjectiveLearner;
  readonly normalizer: ObservationNormalizer;
  readonly scaler: RewardScaler | null;
  readonly visits: VisitCounts | null;
  readonly stream: Stream;
}

function schemaOf({ learner, normalizer, scaler, visits }: CuriosityParts) {
  const { groups } = learner.objective;
  return z.object({
    numUpdates: countSchema,
    steps: z.object(Object.fromEntries(groups.map(({ name }) => [name, countSchema]))),
    observations: momentsSchema(normalizer.mean.length),
    scaler:
      scaler === null
        ? z.null()
        : z.object({ moments: momentsSchema(1), returns: numbersSchema(scaler.numRows) }),
    visits: visits === null ? z.null() : z.array(z.tuple([z.string(), z.int().check(z.gte(1))])),
    stream: streamSchema,
  });
}

/**
 * In `curiosity/`, or `curiosity/<policy>/` where there are several, the model under its networks' names and Adam's moments, `m/` and `v/` before them; the rest in
 * `state.json`.
 *
 * @param policy null = there is one.
 */
export function createCuriosityState(parts: CuriosityParts, policy: string | null): StatePart {
  const own = policy === null ? 'curiosity' : `curiosity/${policy}`;
  const MODEL = `${own}/model.safetensors`;
  const OPTIMIZER = `${own}/optimizer.safetensors`;
  const { learner, normalizer, scaler, visits, stream } = parts;
  const { layout } = learner;
  const trained: ParameterLayout = {
    entries: layout.entries.filter(({ offset }) => offset < layout.trainedSize),
    size: layout.trainedSize,
  };
  const schema = schemaOf(parts);
  return {
    name: own,
    files: [MODEL, OPTIMIZER, 'state.json'],
    getState() {
      const { numUpdates, steps, m, v } = learner.readOptimizerState();
      const state = {
        numUpdates,
        steps,
        observations: normalizer.getState(),
        scaler: scaler?.getState() ?? null,
        visits: visits?.getState() ?? null,
        stream: stream.getState(),
      };
      return {
        tensors: {
          [MODEL]: parametersToTensors(learner.readParameters(), layout),
          [OPTIMIZER]: { ...parametersToTensors(m, trained, 'm/'), ...parametersToTensors(v, trained, 'v/') },
        },
        json: { 'state.json': { algorithm: { [own]: state as unknown as JsonValue } } },
      };
    },
    readState(content) {
      const parameters = tensorsToParameters(content.tensors[MODEL], layout);
      const m = tensorsToParameters(content.tensors[OPTIMIZER], trained, 'm/');
      const v = tensorsToParameters(content.tensors[OPTIMIZER], trained, 'v/', 'nonNegative');
      const state = readField(content, ['algorithm', own], schema);
      return () => {
        learner.writeParameters(parameters);
        learner.writeOptimizerState({ numUpdates: state.numUpdates, steps: state.steps, m, v });
        normalizer.setState(state.observations);
        if (state.scaler !== null) scaler?.setState(state.scaler);
        if (state.visits !== null) visits?.setState(state.visits);
        stream.setState(state.stream);
      };
    },
  };
}
