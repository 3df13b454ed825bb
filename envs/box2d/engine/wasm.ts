/** Writes a small WebAssembly module by hand: one function over one memory. Code is bytes that leave a value on the stack, or none. */

export type Code = readonly number[];

export const I32 = 0x7f;
export const F64 = 0x7c;
const NO_VALUE = 0x40;

function leb128(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  do {
    const isLast = rest < 0x80;
    bytes.push((rest & 0x7f) | (isLast ? 0 : 0x80));
    rest >>>= 7;
  } while (rest > 0);
  return bytes;
}

/** Signed; for constants, which are not negative here. */
function signedLeb128(value: number): number[] {
  const bytes = leb128(value);
  const last = bytes[bytes.length - 1];
  return (last & 0x40) === 0 ? bytes : [...bytes.slice(0, -1), last | 0x80, 0];
}

const unary = (code: number) => (a: Code) => [...a, code];
const binary = (code: number) => (a: Code, b: Code) => [...a, ...b, code];

export const integer = (value: number): Code => [0x41, ...signedLeb128(value)];
export const number = (value: number): Code => [0x44, ...new Uint8Array(Float64Array.of(value).buffer)];

export const add = binary(0xa0);
export const sub = binary(0xa1);
export const mul = binary(0xa2);
export const max = binary(0xa5);
export const negate = unary(0x9a);
export const isDifferent = binary(0x62);
export const isLess = binary(0x63);
export const isMore = binary(0x64);
export const isAtLeast = binary(0x66);

export const addInteger = binary(0x6a);
export const subInteger = binary(0x6b);
export const multiplyInteger = binary(0x6c);
export const remainder = binary(0x6f);
export const isEqualInteger = binary(0x46);
export const isLessInteger = binary(0x48);
export const and = binary(0x71);
export const not = unary(0x45);

/** A sum from left to right. */
export const plus = (first: Code, ...rest: Code[]) => rest.reduce(add, first);

/** A number at an address and so many numbers behind it. */
export const load = (address: Code, index = 0): Code => [...address, 0x2b, 3, ...leb128(8 * index)];
export const store = (address: Code, index: number, value: Code): Code => [
  ...address,
  ...value,
  0x39,
  3,
  ...leb128(8 * index),
];
/** An integer at an address and so many bytes behind it. */
export const loadInteger = (address: Code, offset: number): Code => [...address, 0x28, 2, ...leb128(offset)];

export const choose = (condition: Code, ifTrue: Code, ifFalse: Code): Code => [
  ...ifTrue,
  ...ifFalse,
  ...condition,
  0x1b,
];
export const when = (condition: Code, ...then: Code[]): Code => [
  ...condition,
  0x04,
  NO_VALUE,
  ...then.flat(),
  0x0b,
];
export const whenElse = (condition: Code, then: Code, otherwise: Code): Code => [
  ...condition,
  0x04,
  NO_VALUE,
  ...then,
  0x05,
  ...otherwise,
  0x0b,
];
/** Does something, and again as long as the condition holds behind it. */
export const repeatWhile = (condition: Code, ...body: Code[]): Code => [
  0x03,
  NO_VALUE,
  ...body.flat(),
  ...condition,
  0x0d,
  0,
  0x0b,
];

export interface Variable {
  readonly get: Code;
  readonly set: (value: Code) => Code;
}

/** The variables of a function, behind its parameters. */
export interface Variables {
  readonly numParameters: number;
  readonly types: number[];
}

export function variable(k: number): Variable {
  return { get: [0x20, ...leb128(k)], set: (value) => [...value, 0x21, ...leb128(k)] };
}

export function declare({ numParameters, types }: Variables, type: number = F64): Variable {
  types.push(type);
  return variable(numParameters + types.length - 1);
}

const section = (id: number, ...content: number[]) => [id, ...leb128(content.length), ...content];
const named = (name: string) => [...leb128(name.length), ...[...name].map((letter) => letter.charCodeAt(0))];

/**
 * A module that exports `memory`, of so many pages of 64 KiB, and `run`, whose parameters are integers and which returns nothing.
 *
 * @param body of the function.
 */
export function writeModule({ numParameters, types }: Variables, body: Code, numPages: number): Uint8Array {
  const declarations = [...leb128(types.length), ...types.flatMap((type) => [1, type])];
  const code = [...declarations, ...body, 0x0b];
  const parameters = new Array<number>(numParameters).fill(I32);
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, 1, 0x60, ...leb128(numParameters), ...parameters, 0),
    ...section(3, 1, 0),
    ...section(5, 1, 1, ...leb128(numPages), ...leb128(numPages)),
    ...section(7, 2, ...named('memory'), 2, 0, ...named('run'), 0, 0),
    ...section(10, 1, ...leb128(code.length), ...code),
  ]);
}
