/** Functions of the public interface whose modules are loaded by the first call: `import` of the package stays quick. */
import type { ExportedPolicy, ExportPolicyOptions } from '../export/export-policy.ts';
import type { PolicyServer } from '../serve/policy-server.ts';
import type { PolicyServerOptions } from '../serve/server-settings.ts';

/**
 * Writes a trained policy for another runtime: statistics, clipping, masks and the mapping into the action space's bounds are in it.
 *
 * Inputs are `observation`, the flat row of the observation space (`flattenObservation`: one-hot parts, names in alphabetical order), and with masks
 * `mask`, 1 = allowed. Outputs are `action` (the most likely one, flat, as the environment takes it), `value` where there is a value head, and
 * `logits` and `probabilities`, `mean` and `std` (before tanh where actions are squashed) or `actionValues`, from which a caller may sample.
 * Agrees with the framework's policy up to float32 rounding.
 *
 * @throws ConfigError `CONFIG_EXPORT`; CheckpointError as `loadPolicy`, or where it cannot write; EngineError `ENGINE_NETWORK` for a network that no
 * export covers, `ENGINE_EXPORT_RUNTIME` where verifying needs what is not installed, `ENGINE_EXPORT` where the export is wrong.
 * Cost: tens of milliseconds, and some seconds to verify. Thread: any.
 */
export async function exportPolicy(options: ExportPolicyOptions): Promise<ExportedPolicy> {
  const module = await import('../export/export-policy.ts');
  return module.exportPolicy(options);
}

/**
 * Serves policies: `POST /act` with JSON, the open inference protocol v2, `/health/live` and `/health/ready`. Acting is always the most likely action.
 *
 * @throws ConfigError `CONFIG_SERVE`; what `loadPolicy` throws for a policy that does not load; ServeError `SERVE_RECURRENT`.
 * Cost: a policy of 2 x 64 takes about as long as parsing its request. Thread: the one that calls it.
 */
export async function createPolicyServer(options: PolicyServerOptions): Promise<PolicyServer> {
  const module = await import('../serve/policy-server.ts');
  return module.createPolicyServer(options);
}
