/** The environments' part of a checkpoint: every one of them in the middle of its episode. */
import type { StatePart } from '../checkpoint/state-part.ts';
import type { ActingSpec } from '../policy/policy-spec.ts';
import type { RunnerGroup } from '../rollout/runner-group.ts';
import { rowStatesFromContent, rowStatesToContent } from './row-state-content.ts';

const NUMBERS = 'environments.safetensors';
const STATES = 'environments.json';

/** Comes last among the parts: when it is restored, the environments run again. @throws CheckpointError `CHECKPOINT_ENVIRONMENTS`. */
export function environmentState(
  runners: Pick<RunnerGroup, 'getStates' | 'start'>,
  spec: ActingSpec,
  numEnvs: number,
): StatePart {
  return {
    name: 'environments',
    files: [NUMBERS, STATES],
    async getState() {
      const rows = rowStatesToContent(await runners.getStates(), spec);
      return { tensors: { [NUMBERS]: rows.tensors }, json: { [STATES]: rows.json } };
    },
    readState({ tensors, json }) {
      const states = rowStatesFromContent({ tensors: tensors[NUMBERS], json: json[STATES] }, spec, numEnvs);
      return async () => {
        await runners.start(states);
      };
    },
  };
}
