/** What carries the client's messages: a WebSocket, or the program's own input and output. */
export interface Line {
  send(message: string | Uint8Array): void;
  /** Ends it; the promise of `connect` is settled then. */
  close(): void;
}

/** What becomes of a line. */
export interface Handlers {
  onOpen(line: Line): void;
  onText(text: string): void;
  onFrame(bytes: Uint8Array): void;
}

interface End {
  /** Operant said goodbye. */
  readonly isDone: boolean;
  /** It will not have us. */
  readonly refusal: string | null;
}

const DONE = 1000;

/** A socket, as browsers have it. */
interface Socket {
  binaryType: string;
  onopen: () => void;
  onmessage: (event: { data: string | ArrayBuffer }) => void;
  onclose: (event: { code: number; reason: string }) => void;
  onerror: () => void;
  send(data: string | Uint8Array): void;
  close(code: number): void;
}

export async function webSockets(
  address: string,
  given: unknown,
): Promise<(handlers: Handlers) => Promise<End>> {
  const found = given ?? (globalThis as { WebSocket?: unknown }).WebSocket ?? (await packageOfNode());
  const Socket = found as new (address: string) => Socket;
  return (handlers) =>
    new Promise((resolve) => {
      const socket = new Socket(address);
      socket.binaryType = 'arraybuffer';
      socket.onopen = () =>
        handlers.onOpen({ send: (message) => socket.send(message), close: () => socket.close(DONE) });
      socket.onmessage = ({ data }) => {
        if (typeof data === 'string') handlers.onText(data);
        else handlers.onFrame(new Uint8Array(data));
      };
      socket.onerror = () => undefined; // a close follows
      socket.onclose = ({ code, reason }) =>
        resolve({ isDone: code === DONE, refusal: code >= 4000 ? reason || `code ${code}` : null });
    });
}

/** Node 20 has no WebSocket; where Operant is installed, so is `ws`. */
async function packageOfNode(): Promise<unknown> {
  const name = 'ws'; // in a variable, so that a page's bundler leaves it alone
  try {
    return ((await import(/* @vite-ignore */ name)) as { WebSocket: unknown }).WebSocket;
  } catch {
    throw new Error(
      'There is no WebSocket here: take Node 22 or newer, or give the class of the package `ws` as the option `WebSocket`.',
    );
  }
}

/** Standard input and output belong to Operant; what the program prints goes to standard error. */
export async function connectStdio(handlers: Handlers): Promise<End> {
  const { stdin, stdout } = process;
  const printing = console as unknown as Record<string, unknown>;
  for (const name of ['log', 'info', 'debug']) printing[name] = printing.error;
  let rest = new Uint8Array(0);
  handlers.onOpen({
    send(message) {
      const body = typeof message === 'string' ? new TextEncoder().encode(message) : message;
      const bytes = new Uint8Array(5 + body.length);
      new DataView(bytes.buffer).setUint32(0, body.length, true);
      bytes[4] = typeof message === 'string' ? 0 : 1;
      bytes.set(body, 5);
      stdout.write(bytes);
    },
    close: () => stdin.destroy(),
  });
  for await (const chunk of stdin as AsyncIterable<Uint8Array>) {
    const joined = new Uint8Array(rest.length + chunk.length);
    joined.set(rest);
    joined.set(chunk, rest.length);
    rest = joined;
    while (rest.length >= 5) {
      const length = new DataView(rest.buffer, rest.byteOffset).getUint32(0, true);
      if (rest.length < 5 + length) break;
      const body = rest.subarray(5, 5 + length);
      if (rest[4] === 0) handlers.onText(new TextDecoder().decode(body));
      else handlers.onFrame(body);
      rest = rest.subarray(5 + length);
    }
  }
  return { isDone: true, refusal: null };
}
