/** Environments of several agents as a checkpoint's files: every one in the middle of its episode, and what each of its seats was doing. */
import * as z from 'zod/mini';
import { countSchema, numbersSchema } from '../../checkpoint/field-state.ts';
import type { StatePart } from '../../checkpoint/state-part.ts';
import type { SeatGroup, SeatLayout } from '../../env/agents/seat-layout.ts';
import { CheckpointError } from '../../errors.ts';
import type { JsonObject, JsonValue } from '../../json.ts';
import type { ActingSpec } from '../../policy/policy-spec.ts';
import { RowField } from '../../rollout/agents/agents-layout.ts';
import type { SeatState } from '../../rollout/agents/agents-plan.ts';
import type { AgentsRunnerGroup } from '../../rollout/agents/agents-runner-group.ts';
import type { RowState } from '../../rollout/row-states.ts';
import { rowStatesFromContent, rowStatesToContent } from '../row-state-content.ts';

const NUMBERS = 'environments.safetensors';
const STATES = 'environments.json';
const SEATS = 'agents.json';

interface AgentsSizes {
  readonly numEnvs: number;
  readonly numPolicies: number;
  readonly rolloutLength: number;
  readonly criticSizes: readonly number[];
}

/** Comes last among the parts: when it is restored, the environments run again. @throws CheckpointError `CHECKPOINT_ENVIRONMENTS`. */
export function agentsState(
  runners: Pick<AgentsRunnerGroup, 'getStates' | 'start'>,
  seats: SeatLayout,
  sizes: AgentsSizes,
): StatePart {
  const wide = wideSpec(seats);
  const schema = statesSchema(seats, sizes);
  return {
    name: 'environments',
    files: [NUMBERS, STATES, SEATS],
    async getState() {
      const states = await runners.getStates();
      const rows = rowStatesToContent(states, wide);
      const agents = states.map(({ agents: own = null, agentReturns = [] }) => ({
        returns: agentReturns,
        seats: own?.map(seatToJson) ?? null,
      }));
      return {
        tensors: { [NUMBERS]: rows.tensors },
        json: { [STATES]: rows.json, [SEATS]: { environments: agents as unknown as JsonValue } },
      };
    },
    readState({ tensors, json }) {
      const rows = rowStatesFromContent(
        { tensors: tensors[NUMBERS], json: json[STATES] },
        wide,
        sizes.numEnvs,
      );
      const parsed = schema.safeParse(json[SEATS]);
      if (!parsed.success) throw unusable(parsed.error.issues[0].path.join('.'));
      const states = rows.map((row, n): RowState => {
        const { returns, seats: own } = parsed.data.environments[n];
        const agents = own?.map((seat, s) => seatFromJson(seat as SavedSeat, seats.groups[seats.groupOf[s]]));
        return { ...row, agentReturns: returns, ...(agents === undefined ? {} : { agents }) };
      });
      return async () => {
        await runners.start(states);
      };
    },
  };
}

/** All seats of an environment as one row: their actions and observations one after the other. */
function wideSpec({ groups, groupOf, actionStride }: SeatLayout): ActingSpec {
  const observationSize = groupOf.reduce((sum, g) => sum + groups[g].observationSize, 0);
  const low = new Array<number>(actionStride).fill(0);
  return {
    observationSize,
    observationDtype: 'float32',
    observationShape: [observationSize],
    actionMaskSize: 0,
    network: { kind: 'mlp', hiddenSizes: [], activation: 'identity', shared: false },
    distribution: { kind: 'gaussian', size: actionStride, squash: false, low, high: low },
    normalizeObservations: false,
    clipObservation: 1,
    initialization: { orthogonal: false, hiddenGain: 1, policyGain: 1, valueGain: 1, logStd: 0 },
  };
}

interface SavedSeat {
  readonly fields: number[];
  readonly step: {
    readonly observation: number[];
    readonly mask: number[];
    readonly criticInput: number[];
    readonly action: number[];
    readonly logProb: number;
    readonly value: number;
    readonly tick: number;
  } | null;
}

/** JSON keeps every digit of a float32. */
function seatToJson({ fields, step }: SeatState): JsonObject {
  if (step === null) return { fields, step: null };
  const { observation, mask, criticInput, action, ...numbers } = step;
  const lists = { observation: [...observation], mask: [...mask], criticInput: [...criticInput] };
  return { fields, step: { ...lists, action: [...action], ...numbers } };
}

function seatFromJson({ fields, step }: SavedSeat, { observationDtype, spaces }: SeatGroup): SeatState {
  if (step === null) return { fields, step: null };
  const { observation, mask, criticInput, action, logProb, value, tick } = step;
  const isBox = spaces.actionSpace.kind === 'box';
  return {
    fields,
    step: {
      observation:
        observationDtype === 'uint8' ? Uint8Array.from(observation) : Float32Array.from(observation),
      mask: Uint8Array.from(mask),
      criticInput: Float32Array.from(criticInput),
      action: isBox ? Float32Array.from(action) : Int32Array.from(action),
      ...{ logProb, value, tick },
    },
  };
}

function statesSchema(seats: SeatLayout, { numEnvs, numPolicies, rolloutLength, criticSizes }: AgentsSizes) {
  const seat = (group: SeatGroup, criticSize: number) => {
    const step = z.object({
      observation: numbersSchema(group.observationSize),
      mask: numbersSchema(group.maskSize),
      criticInput: numbersSchema(criticSize),
      action: numbersSchema(group.actionSize),
      logProb: z.number(),
      value: z.number(),
      tick: countSchema,
    });
    return z
      .object({ fields: numbersSchema(RowField.COUNT), step: z.nullable(step) })
      .check(
        z.refine(({ fields, step: open }) => areFields(fields, open !== null, numPolicies, rolloutLength)),
      );
  };
  const perSeat = seats.groupOf.map((g) => seat(seats.groups[g], criticSizes[g])) as unknown as [
    z.ZodMiniType,
    ...z.ZodMiniType[],
  ];
  const environment = z.object({
    returns: numbersSchema(seats.names.length),
    seats: z.nullable(z.tuple(perSeat)),
  });
  return z.object({ environments: z.array(environment).check(z.length(numEnvs)) });
}

function areFields(
  fields: readonly number[],
  hasStep: boolean,
  numPolicies: number,
  rolloutLength: number,
): boolean {
  const isCount = (field: number, end = Number.MAX_SAFE_INTEGER) =>
    Number.isSafeInteger(fields[field]) && fields[field] >= 0 && fields[field] < end;
  return (
    isCount(RowField.LIVES) &&
    isCount(RowField.ACTS) &&
    isCount(RowField.ALIVE, 2) &&
    isCount(RowField.ACTING, 2) &&
    isCount(RowField.POLICY, numPolicies) &&
    isCount(RowField.NEXT_TICK) &&
    (hasStep ? isCount(RowField.OPEN, rolloutLength + 1) : fields[RowField.OPEN] === -1)
  );
}

function unusable(where: string): CheckpointError {
  return new CheckpointError(
    'CHECKPOINT_STATE',
    `The checkpoint's ${SEATS} is not as it was saved: \`${where}\`. Use an older checkpoint.`,
  );
}
