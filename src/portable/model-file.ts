/** model.json: what an exported policy is, beside its weights in a safetensors file. */
import type { JsonObject, JsonValue } from '../json.ts';

export const MODEL_FORMAT = 'operant-policy';
/** Grows when a reader of the old layout would misread the new one. */
export const MODEL_FORMAT_VERSION = 1;

export interface ModelFile {
  readonly format: typeof MODEL_FORMAT;
  readonly formatVersion: number;
  readonly operantVersion: string;
  readonly spec: JsonObject;
  readonly observationSpace: JsonValue;
  readonly actionSpace: JsonValue;
  /** The safetensors file beside it. */
  readonly weights: { readonly file: string; readonly size: number; readonly sha256: string };
  /** Where it came from: checkpoint, environment, iteration. */
  readonly origin: JsonObject;
  /** Observations and what a right reader says of them; see src/export/self-test.ts. */
  readonly selfTest?: JsonObject;
}

/** The field that says what the file is, of anything. */
export function formatOf(value: unknown): unknown {
  return typeof value === 'object' && value !== null ? (value as { format?: unknown }).format : undefined;
}
