/** Which policies of a checkpoint those of a new run begin with. */
import type { CheckpointContent } from '../checkpoint/content.ts';
import type { LeftPart, WarmStart, WarmStartChoice } from '../checkpoint/warm-start.ts';
import { ConfigError } from '../errors.ts';

export interface WarmSources {
  /** By policy of this run. */
  readonly sources: Readonly<Record<string, string>>;
  /** Policies that begin anew, where several learn. */
  readonly left: readonly LeftPart[];
}

export const NOTHING_WARM: WarmStart = { taken: [], left: [], apply: () => undefined };

/** How the parts of a policy are called among several: `main/actor/0`. The only one's need no name. */
export function inPolicy(policy: string, name: string): string {
  return policy === 'default' ? name : `${policy}/${name}`;
}

/**
 * @param here policies of this run that learn.
 * @param path for messages.
 * @throws ConfigError `CONFIG_INIT_POLICIES` for names that there are not, and where a run with one policy could take several.
 */
export function chooseWarmSources(
  content: CheckpointContent,
  path: string,
  here: readonly string[],
  policies: WarmStartChoice['policies'],
): WarmSources {
  const there = policiesIn(content);
  if (policies !== null) return givenSources(policies, path, here, there);
  if (there.length === 0)
    return { sources: Object.fromEntries(here.map((policy) => [policy, policy])), left: [] };
  const [only] = there.length === 1 ? there : [];
  const pairs = here.map((policy) => [policy, there.includes(policy) ? policy : only] as const);
  const isKnown = (pair: readonly [string, string | undefined]): pair is readonly [string, string] =>
    pair[1] !== undefined;
  const found = pairs.filter(isKnown);
  if (found.length === 0)
    throw refuse(
      `The checkpoint \`${path}\` has the policies ${there.join(', ')}, and none is called as ${here.join(', ')}. Say which is to begin with which, ` +
        `such as initPolicies: ${JSON.stringify({ [here[0]]: there[0] })}.`,
    );
  const missing = here.filter((policy) => !found.some(([name]) => name === policy));
  const why = `not in the checkpoint, which has ${there.join(', ')}: initPolicies says what it begins with`;
  return { sources: Object.fromEntries(found), left: missing.map((name) => ({ name, why })) };
}

function givenSources(
  policies: Readonly<Record<string, string>>,
  path: string,
  here: readonly string[],
  there: readonly string[],
): WarmSources {
  for (const [policy, source] of Object.entries(policies)) {
    if (!here.includes(policy))
      throw refuse(
        `initPolicies names the policy \`${policy}\`, and those that learn in this run are: ${here.join(', ')}.`,
      );
    if (!there.includes(source))
      throw refuse(
        `initPolicies begins \`${policy}\` with \`${source}\`, and the checkpoint \`${path}\` has the policies: ${there.join(', ')}.`,
      );
  }
  const missing = here.filter((policy) => !Object.hasOwn(policies, policy));
  return { sources: policies, left: missing.map((name) => ({ name, why: 'not among initPolicies' })) };
}

/** A central critic, `main/critic`, is none. */
function policiesIn({ json }: CheckpointContent): readonly string[] {
  return Object.keys(json).flatMap((file) => /^policies\/([^/]+)\/policy\.json$/.exec(file)?.[1] ?? []);
}

function refuse(message: string): ConfigError {
  return new ConfigError('CONFIG_INIT_POLICIES', message);
}
