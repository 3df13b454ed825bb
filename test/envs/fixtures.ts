import { readFileSync } from 'node:fs';

export interface ClassicRollout {
  readonly seed: string;
  readonly actions: string;
  readonly states: string;
  readonly observations: string;
  readonly rewards: string;
  readonly terminated: boolean;
  readonly truncated: boolean;
}

export interface ClassicFixture {
  readonly header: { readonly gymnasium: string; readonly numpy: string };
  readonly envId: string;
  readonly stateSize: number;
  readonly resets: readonly { seed: string; state: string; observation: string }[];
  readonly rollouts: readonly ClassicRollout[];
  readonly singles: {
    readonly states: string;
    readonly actions: string;
    readonly nextStates: string;
    readonly rewards: string;
    readonly terminated: readonly number[];
  };
}

export interface ToyFixture {
  readonly header: { readonly gymnasium: string; readonly numpy: string };
  readonly runs: readonly {
    readonly envId: string;
    readonly options: Record<string, never>;
    readonly episodes: readonly {
      readonly seed: string;
      readonly actions: readonly number[];
      readonly observations: readonly (readonly number[])[];
      readonly rewards: readonly number[];
      readonly masks: readonly string[];
      readonly terminated: boolean;
      readonly truncated: boolean;
    }[];
  }[];
}

export const FIXTURES_URL = new URL('./fixtures/', import.meta.url);

export function readFixture<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(`${name}.json`, FIXTURES_URL), 'utf8')) as T;
}

/** Base64 of little-endian float64. */
export function doubles(text: string): Float64Array {
  return new Float64Array(new Uint8Array(Buffer.from(text, 'base64')).buffer);
}
