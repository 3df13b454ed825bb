/** What became of a promise that had a deadline. */
import { EnvError } from '../errors.ts';

/** One of the two. */
export type Outcome<T> =
  | { readonly result: T; readonly error?: undefined }
  | { readonly error: EnvError; readonly result?: undefined };

/**
 * Calls and waits. Never rejected; what comes after the deadline is dropped.
 *
 * @param deadlineSeconds null = none.
 */
export async function awaitAnswer<T>(
  call: () => T | Promise<T>,
  what: 'reset' | 'step',
  deadlineSeconds: number | null,
): Promise<Outcome<T>> {
  try {
    const answer = call();
    if (!(answer instanceof Promise)) return { result: await answer };
    return { result: deadlineSeconds === null ? await answer : await inTime(answer, what, deadlineSeconds) };
  } catch (error) {
    return { error: error instanceof EnvError ? error : rejected(error, what) };
  }
}

function inTime<T>(answer: Promise<T>, what: string, seconds: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(late(what, seconds)), seconds * 1000);
    const settle =
      <V>(then: (value: V) => void) =>
      (value: V) => {
        clearTimeout(timer);
        then(value);
      };
    answer.then(settle(resolve), settle(reject));
  });
}

function late(what: string, seconds: number): EnvError {
  return new EnvError(
    'ENV_DEADLINE',
    `${what} has not answered within ${seconds} s. If it may take longer, set \`deadlineSeconds\` of the environment`,
  );
}

function rejected(error: unknown, what: 'reset' | 'step'): EnvError {
  const reason = error instanceof Error ? error.message : String(error);
  return new EnvError(
    what === 'reset' ? 'ENV_RESET_THREW' : 'ENV_STEP_THREW',
    `the environment threw: ${reason}`,
    {},
    { cause: error },
  );
}
