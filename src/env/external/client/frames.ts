/** The client's side of the frames of `messages.ts`; a file of its own, since the client is one without the rest of Operant. */
/** A space as JSON: `box` {low, high, shape, dtype}, `discrete` {n, start}, `multi-discrete` {nvec}, `multi-binary` {n}, `dict` {spaces}. */
export interface SpaceJson {
  readonly kind: string;
  readonly [field: string]: unknown;
}

/** What an environment gives with every reset and step. */
export interface Seen {
  readonly observation: unknown;
  /** Where `masksActions` was said: 1 = allowed, for the next action. */
  readonly actionMask?: ArrayLike<number>;
  /** By the names that `metrics` declares. */
  readonly metrics?: Readonly<Record<string, number>>;
}

export interface Stepped extends Seen {
  readonly reward: number;
  readonly terminated: boolean;
  readonly truncated?: boolean;
}

/** The part of the client's options that frames follow from. */
export interface FrameOptions {
  readonly observationSpace: SpaceJson;
  readonly actionSpace: SpaceJson;
  readonly masksActions?: boolean;
  readonly metrics?: readonly string[];
}

/** An answer that waits to be sent. */
export interface ReadyAnswer {
  readonly index: number;
  readonly flags: number;
  readonly seen: Seen;
  readonly reward: number;
}

/** Layout of the frames; see docs/external.md. */
export interface Layout {
  readonly actionSize: number;
  readonly hasFloatActions: boolean;
  readonly isBytes: boolean;
  readonly obsSize: number;
  readonly obsBytes: number;
  readonly maskSize: number;
  readonly answerBytes: number;
}

const wholeWords = (bytes: number) => 4 * Math.ceil(bytes / 4);

function sizeOf(space: SpaceJson): number {
  const { kind, shape, n, nvec, spaces } = space as Record<string, unknown>;
  if (kind === 'box') return (shape as number[]).reduce((size, k) => size * k, 1);
  if (kind === 'discrete' || kind === 'multi-binary') return n as number;
  if (kind === 'multi-discrete') return (nvec as number[]).reduce((sum, k) => sum + k, 0);
  return Object.values(spaces as Record<string, SpaceJson>).reduce((sum, part) => sum + sizeOf(part), 0);
}

function actionSizeOf(space: SpaceJson): number {
  const { kind, nvec, spaces } = space as Record<string, unknown>;
  if (kind === 'discrete') return 1;
  if (kind === 'multi-discrete') return (nvec as number[]).length;
  if (kind !== 'dict' && kind !== 'tuple') return sizeOf(space);
  return Object.values(spaces as Record<string, SpaceJson>).reduce(
    (sum, part) => sum + actionSizeOf(part),
    0,
  );
}

export function layoutOf({
  observationSpace,
  actionSpace,
  masksActions,
  metrics = [],
}: FrameOptions): Layout {
  const isBytes = observationSpace.kind === 'box' && observationSpace.dtype === 'uint8';
  const obsSize = sizeOf(observationSpace);
  const obsBytes = wholeWords(isBytes ? obsSize : 4 * obsSize);
  const maskSize = masksActions === true ? sizeOf(actionSpace) : 0;
  return {
    actionSize: actionSizeOf(actionSpace),
    hasFloatActions: !['discrete', 'multi-discrete', 'multi-binary'].includes(actionSpace.kind),
    ...{ isBytes, obsSize, obsBytes, maskSize },
    answerBytes: 12 + 4 * metrics.length + obsBytes + wholeWords(maskSize),
  };
}

/** Writes an observation flat: discrete parts one-hot, those of a dict in alphabetical order. @returns where it ends. */
function flatten(space: SpaceJson, value: unknown, out: Float32Array | Uint8Array, at: number): number {
  const size = sizeOf(space);
  switch (space.kind) {
    case 'box': {
      const numbers = typeof value === 'number' ? [value] : flat(value);
      if (numbers.length !== size)
        throw new Error(`Expected an observation of ${size} numbers, got ${numbers.length}.`);
      for (let k = 0; k < size; k++) out[at + k] = numbers[k];
      return at + size;
    }
    case 'discrete':
      out.fill(0, at, at + size);
      out[at + (value as number) - ((space.start as number) ?? 0)] = 1;
      return at + size;
    case 'multi-binary':
      for (let k = 0; k < size; k++) out[at + k] = (value as number[])[k];
      return at + size;
    case 'dict': {
      const parts = Object.entries(space.spaces as Record<string, SpaceJson>).sort(([a], [b]) =>
        a < b ? -1 : 1,
      );
      return parts.reduce(
        (end, [name, part]) => flatten(part, (value as Record<string, unknown>)[name], out, end),
        at,
      );
    }
    default:
      throw new Error(`This client has no observations of kind ${space.kind}.`);
  }
}

function flat(value: unknown): ArrayLike<number> {
  return Array.isArray(value) && Array.isArray(value[0]) ? (value.flat(8) as number[]) : (value as number[]);
}

export function readCommands(
  { actionSize, hasFloatActions }: Layout,
  space: SpaceJson,
  bytes: Uint8Array,
  call: (index: number, isReset: boolean, seed: number, action: number | Int32Array | Float32Array) => void,
): void {
  const copy = bytes.slice().buffer; // begins at a whole word
  const words = new Uint32Array(copy);
  const actions = hasFloatActions ? new Float32Array(copy) : new Int32Array(copy);
  for (let k = 0, at = 1; k < words[0]; k++, at += 3 + actionSize) {
    const action = actions.slice(at + 3, at + 3 + actionSize);
    const start = (space.start as number | undefined) ?? 0;
    call(
      words[at + 1],
      words[at] === 0,
      words[at + 2],
      space.kind === 'discrete' ? action[0] + start : action,
    );
  }
}

export function writeAnswers(
  { answerBytes, isBytes, obsSize, obsBytes, maskSize }: Layout,
  { observationSpace, metrics = [] }: FrameOptions,
  answers: readonly ReadyAnswer[],
): Uint8Array {
  const buffer = new ArrayBuffer(4 + answers.length * answerBytes);
  const words = new Uint32Array(buffer);
  const floats = new Float32Array(buffer);
  words[0] = answers.length;
  for (const [k, { index, flags, seen, reward }] of answers.entries()) {
    const first = 4 + k * answerBytes;
    words[first / 4] = index;
    words[first / 4 + 1] = flags;
    floats[first / 4 + 2] = reward;
    for (const [m, name] of metrics.entries()) floats[first / 4 + 3 + m] = seen.metrics?.[name] ?? Number.NaN;
    const at = first + 12 + 4 * metrics.length;
    const row = isBytes ? new Uint8Array(buffer, at, obsSize) : new Float32Array(buffer, at, obsSize);
    flatten(observationSpace, seen.observation, row, 0);
    if (maskSize === 0) continue;
    const mask = new Uint8Array(buffer, at + obsBytes, maskSize);
    for (let m = 0; m < maskSize; m++) mask[m] = seen.actionMask === undefined || seen.actionMask[m] ? 1 : 0;
  }
  return new Uint8Array(buffer);
}
