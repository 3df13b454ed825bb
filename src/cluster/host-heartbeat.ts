/** Finds out that a host is silent. */
import { type Bridge, RequestFailure } from './bridge.ts';
import { FrameType } from './frames.ts';

/** So many beats may go by without an answer; then nobody there answers. */
const MAX_MISSED = 5;
/** So many beats the host's actor waits for its process, before it ends it: the actor can start another at once, and nobody has to be put elsewhere. */
const MAX_FROZEN = 4;

/** The host's process as it is now. */
export interface HostProcess {
  /** null = not open. */
  readonly bridge: Bridge | null;
  readonly incarnation: number;
}

/**
 * While something is waited for, the host is asked for signs of life. Beats are counted rather than time: a learner that computes for long, and hears
 * nothing meanwhile, must not blame its hosts.
 *
 * @param deadlineMs a host that answers no ping for this long counts as lost: all that was asked of it fails, with `CHILD_EXITED` where its actor finds that the process is
 * frozen, with `SILENT` where the actor does not answer either.
 * @returns what waits for something.
 */
export function createHeartbeat(
  index: number,
  host: HostProcess,
  deadlineMs: number,
): <T>(wait: () => Promise<T>) => Promise<T> {
  let numWaiting = 0;
  let beat: NodeJS.Timeout | null = null;
  return async (wait) => {
    numWaiting += 1;
    beat ??= startHeartbeat(index, host, deadlineMs);
    try {
      return await wait();
    } finally {
      numWaiting -= 1;
      if (numWaiting === 0 && beat !== null) {
        clearInterval(beat);
        beat = null;
      }
    }
  };
}

function startHeartbeat(index: number, host: HostProcess, deadlineMs: number): NodeJS.Timeout {
  let numMissed = 0;
  let isAnswered = true;
  const seconds = Buffer.from(JSON.stringify((MAX_FROZEN * deadlineMs) / MAX_MISSED / 1000));
  return setInterval(() => {
    const { bridge, incarnation } = host;
    if (bridge === null) return;
    numMissed = isAnswered ? 0 : numMissed + 1;
    if (numMissed >= MAX_MISSED) {
      bridge.abandon(
        index,
        new RequestFailure('SILENT', `host ${index} has shown no sign of life for ${deadlineMs / 1000} s`),
      );
      return;
    }
    if (!isAnswered) return;
    isAnswered = false;
    const address = { host: index, incarnation, version: 0 };
    bridge.request(FrameType.PING, address, seconds).then(
      () => {
        isAnswered = true;
      },
      () => undefined, // what is waited for fails, too
    );
  }, deadlineMs / MAX_MISSED);
}
