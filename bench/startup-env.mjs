/** CartPole that says on stderr when it is stepped first, for startup.bench.ts. Plain JavaScript: it must load as quickly as ours. */
import { writeSync } from 'node:fs';
import { env } from 'node:process';

const { cartPole } = await import(env.STARTUP_CART_POLE);

export function firstStep(options) {
  const environment = cartPole(options);
  const step = environment.step.bind(environment);
  environment.step = (action) => {
    writeSync(2, `first step ${performance.timeOrigin + performance.now()}\n`);
    environment.step = step;
    return step(action);
  };
  return environment;
}
