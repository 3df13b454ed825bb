/** HTTP/1.1 over one socket, by hand: what is sent is exactly what a test wants to send. */
import { connect, type Socket } from 'node:net';

export interface RawAnswer {
  readonly status: number;
  readonly body: string;
}

export interface Connection {
  readonly isOpen: boolean;
  /** One request at a time. @throws where the server closes it without an answer. */
  ask(request: string | Buffer): Promise<RawAnswer>;
  close(): void;
}

export function openConnection(port: number): Connection {
  let received = Buffer.alloc(0);
  let waiting: { resolve(answer: RawAnswer): void; reject(error: Error): void } | null = null;
  let isOpen = true;
  const socket: Socket = connect(port, '127.0.0.1');
  socket.setNoDelay(true);
  const end = (): void => {
    isOpen = false;
    waiting?.reject(new Error('The server closed the connection without an answer.'));
    waiting = null;
  };
  socket.on('error', end).on('close', end);
  socket.on('data', (chunk) => {
    received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
    const answer = takeAnswer(received);
    if (answer === null || waiting === null) return;
    received = received.subarray(answer.numBytes);
    const { resolve } = waiting;
    waiting = null;
    resolve(answer);
  });
  return {
    get isOpen() {
      return isOpen;
    },
    ask(request) {
      return new Promise((resolve, reject) => {
        if (!isOpen) return reject(new Error('The connection is closed.'));
        waiting = { resolve, reject };
        socket.write(request);
      });
    },
    close() {
      isOpen = false;
      socket.destroy();
    },
  };
}

/** null = not all of it is here yet. */
function takeAnswer(bytes: Buffer): (RawAnswer & { readonly numBytes: number }) | null {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) return null;
  const head = bytes.toString('latin1', 0, end);
  const length = Number(/^content-length: (\d+)$/im.exec(head)?.[1] ?? 0);
  const numBytes = end + 4 + length;
  if (bytes.length < numBytes) return null;
  return { status: Number(head.slice(9, 12)), body: bytes.toString('utf8', end + 4, numBytes), numBytes };
}

export function postOf(path: string, body: string | Buffer, headers = ''): Buffer {
  const head = `POST ${path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n${headers}content-length: ${Buffer.byteLength(body)}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), Buffer.from(body)]);
}
