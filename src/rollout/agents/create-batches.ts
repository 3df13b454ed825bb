/** The policies of a plan as a runner acts with them. */

import { ConfigError } from '../../errors.ts';
import { hasColumn } from '../../experience/layout.ts';
import type { Arena, Region } from '../../memory/arena.ts';
import { importModule } from '../../modules/import-module.ts';
import type { Kernels } from '../../simd/kernel-exports.ts';
import type { AgentsPlan } from './agents-plan.ts';
import { createCriticBatch, criticBatchBytes } from './critic-batch.ts';
import {
  createNetworkBatch,
  createPastBatch,
  type NetworkBatch,
  networkBatchBytes,
  type PolicyBatch,
} from './policy-batch.ts';
import type { PolicyPlan } from './policy-plan.ts';
import { createFunctionBatch, createRandomBatch, type ScriptedPolicy } from './scripted-batch.ts';

type Plan = Pick<AgentsPlan, 'policies'> & {
  readonly layout: Pick<AgentsPlan['layout'], 'seats' | 'rollouts'>;
};

/** Bytes of scratch for all policies of a plan in `numEnvs` environments. */
export function batchesBytes({ policies, layout }: Plan, numEnvs: number): number {
  let hasPast = false;
  return policies.reduce((sum, { acts, spec, group }) => {
    const maxRows = numEnvs * layout.seats.groups[group].seats.length;
    if (acts.kind === 'past') {
      const bytes = hasPast ? 0 : networkBatchBytes(spec, maxRows); // one scratch for all of them
      hasPast = true;
      return sum + bytes;
    }
    if (acts.kind !== 'network') return sum;
    const criticBytes = acts.critic === null ? 0 : criticBatchBytes(acts.critic, maxRows);
    return sum + networkBatchBytes(spec, maxRows) + criticBytes;
  }, 0);
}

/**
 * By index in the table of policies.
 *
 * @param scratch {@link batchesBytes} of the arena, owned by these batches.
 * @throws ConfigError `CONFIG_POLICY` when a policy's module cannot be used.
 */
export async function createBatches(
  plan: Plan,
  numEnvs: number,
  { kernels, arena, scratch }: { readonly kernels: Kernels; readonly arena: Arena; readonly scratch: Region },
): Promise<PolicyBatch[]> {
  const { seats, rollouts } = plan.layout;
  let offset = scratch.offset;
  const batches: PolicyBatch[] = [];
  let past: NetworkBatch | null = null;
  const take = (byteLength: number): Region => {
    const region = { offset, byteLength };
    offset += byteLength;
    return region;
  };
  for (const policy of plan.policies) {
    const { acts, spec, group } = policy;
    const members = seats.groups[group].seats;
    const maxRows = numEnvs * members.length;
    const sizes = { numRows: maxRows, maxRows };
    if (acts.kind === 'network') {
      const { weights, critic: criticPlan } = acts;
      const wantsValues = hasColumn(rollouts[group], 'values');
      const own = take(networkBatchBytes(spec, maxRows));
      const critic =
        criticPlan === null
          ? null
          : createCriticBatch(
              kernels,
              arena,
              criticPlan,
              take(criticBatchBytes(criticPlan, maxRows)),
              maxRows,
            );
      batches.push(
        createNetworkBatch({ kernels, arena, spec, weights, scratch: own, sizes, critic, wantsValues }),
      );
    } else if (acts.kind === 'past') {
      const { weights } = acts;
      past ??= createNetworkBatch({
        ...{ kernels, arena, spec, weights, sizes, critic: null, wantsValues: false },
        scratch: take(networkBatchBytes(spec, maxRows)),
      });
      batches.push(createPastBatch(past, weights.slotAddresses[0]));
    } else if (acts.kind === 'random') {
      batches.push(createRandomBatch(spec, sizes));
    } else {
      const script = await importScript(policy, acts);
      const agentOf = (row: number) => seats.names[members[row % members.length]];
      batches.push(
        createFunctionBatch(policy.name, spec, seats.groups[group].spaces, sizes, script, agentOf),
      );
    }
  }
  return batches;
}

/** @throws ConfigError `CONFIG_POLICY`. */
export async function importScript(
  { name }: Pick<PolicyPlan, 'name'>,
  { module: url, export: exportName }: Extract<PolicyPlan['acts'], { kind: 'module' }>,
): Promise<ScriptedPolicy> {
  const refuse = (reason: string, cause?: unknown) =>
    new ConfigError('CONFIG_POLICY', `The policy \`${name}\` cannot be used: ${reason}.`, { cause });
  let module: Record<string, unknown>;
  try {
    module = await importModule(url);
  } catch (error) {
    throw refuse(
      `its module ${url} could not be loaded: ${error instanceof Error ? error.message : error}`,
      error,
    );
  }
  const script = module[exportName];
  if (typeof script !== 'function') throw refuse(`${url} has no function \`${exportName}\``);
  return script as ScriptedPolicy;
}
