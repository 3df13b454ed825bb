/** Code of a WebAssembly function that is being written, line after line. */
import { type Code, choose, declare, isLess, isMore, negate, type Variable, type Variables } from './wasm.ts';

export interface Draft {
  readonly variables: Variables;
  readonly lines: number[];
}

export function openDraft(variables: Variables): Draft {
  return { variables, lines: [] };
}

export function write({ lines }: Draft, ...code: Code[]): void {
  for (const part of code) for (const byte of part) lines.push(byte);
}

/** Keeps a value in a variable of its own. @returns how it is read. */
export function keep(draft: Draft, value: Code, type?: number): Code {
  const kept = vary(draft, value, type);
  return kept.get;
}

/** A variable that begins with a value. */
export function vary(draft: Draft, value: Code, type?: number): Variable {
  const kept = declare(draft.variables, type);
  write(draft, kept.set(value));
  return kept;
}

/** A value, no farther from 0 than `most`. */
export function within(value: Code, most: Code): Code {
  return choose(isLess(value, negate(most)), negate(most), choose(isMore(value, most), most, value));
}
