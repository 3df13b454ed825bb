/** The sampler's calls into the policy, with every address worked out once. */

import { columnAddress, hasColumn, type RolloutLayout } from '../experience/layout.ts';
import { recurrentStateSize } from '../policy/networks/recurrent-state.ts';
import { type ActingSpec, actionSize, noiseSize } from '../policy/policy-spec.ts';
import type { ActCall, RowPolicy, ValuesCall } from '../policy/row-policy.ts';
import type { SamplingLayout } from './sampling-layout.ts';

export interface ActingOptions {
  readonly policy: RowPolicy;
  readonly spec: ActingSpec;
  readonly layout: SamplingLayout;
  readonly firstRow: number;
  readonly numRows: number;
}

export interface Acting {
  useWeights(address: number): void;
  act(set: number, t: number): void;
  /** `act` for row r alone; what it gives does not depend on the rows beside it. */
  actRow(set: number, t: number, r: number): void;
  finalValue(set: number, r: number, i: number): void;
  bootstrapValues(set: number): void;
}

export function createActing({ policy, spec, layout, firstRow, numRows }: ActingOptions): Acting {
  const { rollout } = layout;
  const T = rollout.rolloutLength;
  const elementBytes = spec.observationDtype === 'uint8' ? 1 : 4;
  const rowBytes = spec.observationSize * elementBytes;
  const A = actionSize(spec.distribution);
  const hasMasks = spec.actionMaskSize > 0;
  const [hasValues, hasLogProbs] = [hasColumn(rollout, 'values'), hasColumn(rollout, 'logProbs')];
  const addresses = layout.setAddresses.map((address) => columnAddresses(rollout, address));
  const call = emptyActCall(spec, T, numRows);
  call.noiseAddress = layout.noise + firstRow * noiseSize(spec) * 4;
  const stateBytes = 4 * recurrentStateSize(spec);
  const stateAddress = layout.recurrentStates + firstRow * stateBytes;
  call.stateAddress = stateAddress;
  const values: ValuesCall = {
    numRows: 1,
    weightsAddress: 0,
    observationAddress: 0,
    observationStride: spec.observationSize,
    valueAddress: 0,
    valueStride: 1,
    maskAddress: 0,
    maskStride: spec.actionMaskSize,
    stateAddress,
  };
  const rowCall = { ...call, numRows: 1 };
  const aim = (aimed: ActCall, set: number, first: number) => {
    const address = addresses[set];
    aimed.observationAddress = address.observations + first * rowBytes;
    aimed.maskAddress = hasMasks ? address.masks + first * spec.actionMaskSize : 0;
    aimed.actionAddress = address.actions + first * A * 4;
    if (hasLogProbs) aimed.logProbAddress = address.logProbs + first * 4;
    if (hasValues) aimed.valueAddress = address.values + first * 4;
  };
  return {
    useWeights(address) {
      call.weightsAddress = address;
      rowCall.weightsAddress = address;
      values.weightsAddress = address;
    },
    act(set, t) {
      aim(call, set, firstRow * T + t);
      policy.act(call);
    },
    actRow(set, t, r) {
      aim(rowCall, set, (firstRow + r) * T + t);
      rowCall.noiseAddress = call.noiseAddress + r * noiseSize(spec) * 4;
      rowCall.stateAddress = stateAddress + r * stateBytes;
      policy.act(rowCall);
    },
    finalValue(set, r, i) {
      if (!hasValues) return;
      values.numRows = 1;
      values.stateAddress = stateAddress + r * stateBytes;
      values.maskAddress = 0; // nobody says what would be allowed after the end
      values.observationAddress = layout.finalObservations + (firstRow + r) * rowBytes;
      values.valueAddress = addresses[set].finalValues + i * 4;
      policy.values(values);
    },
    bootstrapValues(set) {
      if (!hasValues) return;
      values.numRows = numRows;
      values.stateAddress = stateAddress;
      values.maskAddress = hasMasks ? layout.currentMasks + firstRow * spec.actionMaskSize : 0;
      values.observationAddress = layout.currentObservations + firstRow * rowBytes;
      values.valueAddress = addresses[set].bootstrapValues + firstRow * 4;
      policy.values(values);
    },
  };
}

function columnAddresses(rollout: RolloutLayout, address: number) {
  return {
    observations: columnAddress(rollout, address, 'observations'),
    masks: columnAddress(rollout, address, 'actionMasks'),
    actions: columnAddress(rollout, address, 'actions'),
    logProbs: columnAddress(rollout, address, 'logProbs'),
    values: columnAddress(rollout, address, 'values'),
    finalValues: columnAddress(rollout, address, 'finalValues'),
    bootstrapValues: columnAddress(rollout, address, 'bootstrapValues'),
  };
}

function emptyActCall(spec: ActingSpec, T: number, numRows: number): ActCall {
  return {
    numRows,
    weightsAddress: 0,
    observationAddress: 0,
    observationStride: T * spec.observationSize,
    maskAddress: 0,
    maskStride: T * spec.actionMaskSize,
    noiseAddress: 0,
    deterministic: false,
    actionAddress: 0,
    actionStride: T * actionSize(spec.distribution),
    logProbAddress: 0,
    valueAddress: 0,
    scalarStride: T,
    stateAddress: 0,
  };
}
