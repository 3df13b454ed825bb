/** model.json: what an exported policy is, beside its weights in a safetensors file. */
export const MODEL_FORMAT = 'operant-policy';
/** Grows when a reader of the old layout would misread the new one. */
export const MODEL_FORMAT_VERSION = 1;

/** The field that says what the file is, of anything. */
export function formatOf(value: unknown): unknown {
  return typeof value === 'object' && value !== null ? (value as { format?: unknown }).format : undefined;
}
