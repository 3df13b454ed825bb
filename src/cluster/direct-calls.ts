/** How the bridge and its actors are started so that a fragment travels with an answer itself, through memory that is there already. */

/**
 * A value that is shorter Ray hands on with the call or the answer, so the bridge has long answers come in parts; a longer one goes through object stores, which takes several round trips between nodes. Its own default is
 * 100 kB; 10 MiB of a call or an answer are the most in all.
 */
const DIRECT_BYTES = 9 * 2 ** 20;

/**
 * What glibc gives back to the kernel it has to ask for again with the next fragment, page by page, which takes longer than to copy into it: it keeps this much, and takes
 * blocks that are shorter from there. The most that it allows.
 */
const KEPT_BYTES = 2 ** 25;

/** Variables of the bridge and of actors (not of rollout processes); what the user has set stays. */
export function callEnvironment(given: NodeJS.ProcessEnv = process.env): Record<string, string> {
  const ours = {
    RAY_max_direct_call_object_size: DIRECT_BYTES,
    MALLOC_TRIM_THRESHOLD_: KEPT_BYTES,
    MALLOC_MMAP_THRESHOLD_: KEPT_BYTES,
  };
  return Object.fromEntries(Object.entries(ours).map(([name, value]) => [name, given[name] ?? `${value}`]));
}
