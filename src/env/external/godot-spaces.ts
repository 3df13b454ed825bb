/** Spaces, observations and actions of Godot RL Agents as Operant's. */
import type { JsonObject, JsonValue } from '../../json.ts';
import { Box, Dict, Discrete, MultiDiscrete, type Space } from '../spaces.ts';
import type { ActionArray, ObservationArray } from '../vector-env.ts';
import { type Description, Garbage } from './messages.ts';

export interface GodotCodec {
  /** Writes what an agent sees. @throws Garbage */
  observe(seen: JsonValue, out: ObservationArray): void;
  /** null = of an agent that nobody leases: nothing is done. */
  action(flat: ActionArray | null): JsonObject;
}

interface Part {
  readonly name: string;
  readonly size: number;
}

type ActionPart = Part & { readonly isDiscrete: boolean };
/** Images are hexadecimal text. */
type ObservationPart = Part & { readonly shape: readonly number[]; readonly isImage: boolean };

/** @param info the game's `env_info`. @throws Garbage for spaces that are not understood, or differ between agents. */
export function describeGodot(info: JsonObject): { description: Description; codec: GodotCodec } {
  const numEnvs = info.n_agents as number;
  if (!Number.isInteger(numEnvs) || numEnvs < 1)
    throw new Garbage('Expected `n_agents` to be an integer >= 1');
  const observations = entriesOf(info, 'observation_space').map(observationPart);
  const actions = entriesOf(info, 'action_space').map(actionPart);
  const description: Description = {
    name: null,
    numEnvs,
    observationSpace: observationSpaceOf(observations),
    actionSpace: actionSpaceOf(actions),
    ...{ masksActions: false, maxEpisodeSteps: null, metrics: [], isRepeatable: false },
  };
  return {
    description,
    codec: {
      observe: (seen, out) => {
        let at = 0;
        for (const part of observations)
          at = writePart(part, (seen as JsonObject | null)?.[part.name], out, at);
      },
      action: (flat) => actionOf(actions, flat),
    },
  };
}

/** By name; one record for all agents, or a list of them. */
function entriesOf(info: JsonObject, field: string): [string, JsonObject][] {
  const value = info[field];
  const each = Array.isArray(value) ? (value as readonly JsonObject[]) : [value as JsonObject];
  const [first] = each;
  if (typeof first !== 'object' || first === null || Object.keys(first).length === 0)
    throw new Garbage(`Expected \`${field}\` to be spaces by name, or a list of them`);
  if (each.some((other) => JSON.stringify(other) !== JSON.stringify(first)))
    throw new Garbage(`Expected the same \`${field}\` for every agent: this trains one policy`);
  return Object.entries(first as Record<string, JsonObject>).sort(([a], [b]) => (a < b ? -1 : 1));
}

function observationPart([name, { size }]: [string, JsonObject]): ObservationPart {
  const shape = (Array.isArray(size) ? size : [size]) as readonly number[];
  const total = shape.reduce((product, k) => product * k, 1);
  if (!Number.isInteger(total) || total < 1)
    throw new Garbage(`Expected the observation \`${name}\` to have a size`);
  return { name, shape, size: total, isImage: name.includes('2d') };
}

function actionPart([name, { size, action_type: type }]: [string, JsonObject]): ActionPart {
  if (!Number.isInteger(size) || (size as number) < 1 || (type !== 'discrete' && type !== 'continuous'))
    throw new Garbage(
      `Expected the action \`${name}\` to have a \`size\` and an \`action_type\`, discrete or continuous`,
    );
  return { name, size: size as number, isDiscrete: type === 'discrete' };
}

function observationSpaceOf(parts: readonly ObservationPart[]): Space {
  const spaces = parts.map(({ name, shape, isImage }): [string, Space] => [
    name,
    isImage ? new Box(0, 255, shape, 'uint8') : new Box(-Infinity, Infinity, shape),
  ]);
  return spaces.length === 1 ? spaces[0][1] : new Dict(Object.fromEntries(spaces));
}

/** All choices, all numbers, or both: then a Dict. */
function actionSpaceOf(parts: readonly ActionPart[]): Space {
  if (parts.length === 1 && parts[0].isDiscrete) return new Discrete(parts[0].size);
  if (parts.every(({ isDiscrete }) => isDiscrete)) return new MultiDiscrete(parts.map(({ size }) => size));
  const sum = parts.reduce((total, { size }) => total + size, 0);
  if (parts.every(({ isDiscrete }) => !isDiscrete)) return new Box(-1, 1, [sum]);
  return new Dict(
    Object.fromEntries(
      parts.map(({ name, size, isDiscrete }) => [
        name,
        isDiscrete ? new Discrete(size) : new Box(-1, 1, [size]),
      ]),
    ),
  );
}

function writePart(
  part: ObservationPart,
  seen: JsonValue | undefined,
  out: ObservationArray,
  at: number,
): number {
  const { name, size, isImage } = part;
  const values = isImage ? (typeof seen === 'string' ? Buffer.from(seen, 'hex') : []) : numbersOf(seen);
  if (values.length !== size)
    throw new Garbage(`Expected ${size} numbers as the observation \`${name}\`, got ${values.length}`);
  for (let k = 0; k < size; k++) out[at + k] = values[k];
  return at + size;
}

function numbersOf(seen: JsonValue | undefined): readonly number[] {
  if (typeof seen === 'number') return [seen];
  return Array.isArray(seen) ? (seen.flat(8) as number[]) : [];
}

function actionOf(parts: readonly ActionPart[], flat: ActionArray | null): JsonObject {
  let at = 0;
  const entries = parts.map(({ name, size, isDiscrete }) => {
    const width = isDiscrete ? 1 : size;
    const values = flat === null ? new Array<number>(width).fill(0) : [...flat.subarray(at, at + width)];
    at += width;
    return [name, isDiscrete ? values[0] : values] as const;
  });
  return Object.fromEntries(entries);
}
