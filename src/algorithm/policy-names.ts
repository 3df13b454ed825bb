/** What is called by a policy's name: its streams and its fields of a checkpoint. The only policy's are those of a run with one agent. */
import { openStream, type Stream } from '../random/streams.ts';

/** The name of the only policy; its files are those of a run with one agent. */
export const DEFAULT_POLICY = 'default';

/** What a policy's first weights, its batches or its shuffles are drawn from. */
export function policyStream(seed: number, purpose: string, policy: string): Stream {
  return policy === DEFAULT_POLICY ? openStream(seed, purpose) : openStream(seed, purpose, policy);
}

/** Name of a policy's state. */
export function stateName(policy: string, field: string): string {
  return policy === DEFAULT_POLICY ? field : `${field}/${policy}`;
}
