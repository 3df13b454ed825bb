/** Who calls `Math.random`, which nobody can seed, and where. */
import type { Report } from './check-trace.ts';

/** Call sites, most recent text of the stack's first line, and how often; of the first calls only, since a stack costs microseconds. */
type Calls = Map<string, number>;

const MAX_STACKS = 200;
const MAX_TOLD = 3;

export interface RandomWatch {
  /** Runs a factory: what is drawn there is harmless where `reset` draws it again, which other checks find out. */
  creating<T>(create: () => T): T;
  /** Whether anything drew in a factory. */
  numInFactory(): number;
}

/**
 * Runs with `Math.random` watched, which finds its callers even where episodes are too short to differ. A call in `reset` or `step` is an
 * error; one in the factory only when `isBroken` says that episodes cannot be repeated.
 */
export function watchingRandomCalls(
  report: Report,
  run: (watch: RandomWatch) => void,
  isBroken: () => boolean,
): void {
  const original = Math.random;
  const [inFactory, elsewhere]: [Calls, Calls] = [new Map(), new Map()];
  let isCreating = false;
  let numCalls = 0;
  const watched = () => {
    numCalls += 1;
    const calls = isCreating ? inFactory : elsewhere;
    const place = numCalls <= MAX_STACKS ? callerOf(watched) : '';
    calls.set(place, (calls.get(place) ?? 0) + 1);
    return original();
  };
  const watch: RandomWatch = {
    creating(create) {
      const before = isCreating;
      isCreating = true;
      try {
        return create();
      } finally {
        isCreating = before;
      }
    },
    numInFactory: () => total(inFactory),
  };
  Math.random = watched;
  try {
    run(watch);
  } finally {
    Math.random = original;
  }
  if (elsewhere.size > 0) tell(report, '', elsewhere);
  else if (inFactory.size > 0 && isBroken()) tell(report, "The environment's factory", inFactory);
}

function tell(report: Report, who: string, calls: Calls): void {
  const places = [...calls.keys()].filter((place) => place !== '');
  const shown = places.slice(0, MAX_TOLD).join('; ');
  const more = places.length > MAX_TOLD ? ` and ${places.length - MAX_TOLD} more places` : '';
  report(
    'error',
    'ENV_MATH_RANDOM',
    `${who || 'The environment'} called Math.random ${total(calls)} times: ${shown}${more}.`,
    'Draw from a generator that reset seeds: openEnvRandom(seed) of this package, or one of your own. Where the code is not yours, wrap the ' +
      'environment: seededMathRandom(env) lends it a seeded Math.random during reset and step.',
  );
}

function total(calls: Calls): number {
  return [...calls.values()].reduce((sum, count) => sum + count, 0);
}

/** `step (/home/me/my-env.ts:12:20)`: the line that called `callee`. */
function callerOf(callee: () => number): string {
  const holder: { stack?: string } = {};
  Error.captureStackTrace?.(holder, callee);
  const line = holder.stack?.split('\n').find((text) => text.trim().startsWith('at '));
  return (line ?? '')
    .trim()
    .replace(/^at /, '')
    .replace(/file:\/\//, '');
}
