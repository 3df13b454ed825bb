/** Where an answer goes: it is called once, by one of the two, and throws nothing. Every request has these instead of promises, which take some microseconds of each. */
export interface Reply<A> {
  answer(value: A): void;
  fail(error: unknown): void;
}

export function promised<A>(ask: (reply: Reply<A>) => void): Promise<A> {
  return new Promise((answer, fail) => ask({ answer, fail }));
}
