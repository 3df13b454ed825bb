/**
 * Lets the event loop turn once, so that signals and messages get through.
 *
 * A browser has no setImmediate, and its timers wait for 4 ms when nested: there a message to oneself does it.
 */
export const nextTurn: () => Promise<void> =
  typeof setImmediate === 'function'
    ? () => new Promise((resolve) => setImmediate(resolve))
    : createMessageTurn();

function createMessageTurn(): () => Promise<void> {
  const { port1, port2 } = new MessageChannel();
  const waiting: (() => void)[] = [];
  port1.addEventListener('message', () => waiting.shift()?.());
  port1.start();
  return () =>
    new Promise((resolve) => {
      waiting.push(resolve);
      port2.postMessage(null);
    });
}

/** How long the event loop may stand still; a turn costs 10 us. */
const TURN_MS = 20;

/** Turns of the event loop, one every 20 ms, for long work that takes little steps: `if (turns.isDue()) await turns.take();` */
export function createTurns(): { isDue(): boolean; take(): Promise<void> } {
  let turnedAt = performance.now();
  return {
    isDue: () => performance.now() - turnedAt >= TURN_MS,
    async take() {
      await nextTurn();
      turnedAt = performance.now();
    },
  };
}
