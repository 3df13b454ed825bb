/** Clients that hold a connection and do nothing for it. Each says how long the server let it. */
import { connect } from 'node:net';

export type SlowKind = 'slow headers' | 'slow body' | 'silent' | 'half-closed' | 'unread answers';

export interface SlowOutcome {
  readonly kind: SlowKind;
  /** Until the server cut it off, ms; null = it had not when patience ended. */
  readonly heldMs: number | null;
}

const DRIP_MS = 500;
const HEAD = 'POST /act HTTP/1.1\r\nhost: localhost\r\ncontent-length: 4000\r\n';

/** One client of a kind. @param patienceMs when it goes away by itself. */
function holdOpen(port: number, kind: SlowKind, token: string, patienceMs: number): Promise<SlowOutcome> {
  const began = performance.now();
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    let drip: NodeJS.Timeout | undefined;
    const done = (heldMs: number | null) => {
      clearInterval(drip);
      clearTimeout(patience);
      socket.destroy();
      resolve({ kind, heldMs });
    };
    const patience = setTimeout(() => done(null), patienceMs);
    const cut = () => done(performance.now() - began);
    socket.on('error', cut).on('close', cut).on('end', cut);
    if (kind !== 'unread answers') socket.resume();
    socket.on('connect', () => {
      if (kind === 'slow headers') drip = setInterval(() => socket.write('x'), DRIP_MS);
      if (kind === 'slow body') {
        socket.write(`${HEAD}authorization: Bearer ${token}\r\n\r\n`);
        drip = setInterval(() => socket.write(' '), DRIP_MS);
      }
      if (kind === 'half-closed') socket.end('POST /act HTTP/1.1\r\nhost: localhost\r\n');
      if (kind === 'unread answers')
        socket.write(
          `GET /openapi.json HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${token}\r\n\r\n`.repeat(
            200,
          ),
        );
    });
  });
}

export const SLOW_KINDS: readonly SlowKind[] = ['slow headers', 'slow body', 'silent', 'half-closed'];

/** `numEach` clients of every kind at once. */
export async function holdManyOpen(
  port: number,
  {
    numEach,
    token,
    patienceMs,
  }: { readonly numEach: number; readonly token: string; readonly patienceMs: number },
): Promise<readonly SlowOutcome[]> {
  const kinds = SLOW_KINDS.flatMap((kind) => new Array<SlowKind>(numEach).fill(kind));
  return Promise.all(kinds.map((kind) => holdOpen(port, kind, token, patienceMs)));
}

/** Connections that write many requests and read none of the answers, for a while: what the server keeps for them is bounded by the sockets. */
export async function leaveUnread(
  port: number,
  numClients: number,
  token: string,
  ms: number,
): Promise<void> {
  await Promise.all(Array.from({ length: numClients }, () => holdOpen(port, 'unread answers', token, ms)));
}
