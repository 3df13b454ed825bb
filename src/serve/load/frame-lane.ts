/** Binary frames over one WebSocket, several on their way at a time where the load test wants it. */
import { WebSocket } from 'ws';
import { ConfigError } from '../../errors.ts';
import { HEADER_BYTES } from '../frames.ts';
import type { Lane, LoadTarget } from './lane.ts';

/** @throws ConfigError `CONFIG_SERVE` where the server does not open it. */
export async function openFrameLane(target: LoadTarget): Promise<Lane> {
  const { url, token, model, timeoutMs } = target;
  const protocols = ['operant.act.v1', ...(token === null ? [] : [`operant.token.${token}`])];
  const address = `${url.replace(/^http/, 'ws')}/act?model=${encodeURIComponent(model.name)}`;
  const socket = new WebSocket(address, protocols, { perMessageDeflate: false });
  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', ({ message }) =>
      reject(new ConfigError('CONFIG_SERVE', `${address} opens no WebSocket: ${message}`)),
    );
  });
  const frame = frameOf(target);
  const waiting = new Map<number, Waiting>();
  let numAsked = 0;
  const settle = (id: number, status: number): void => {
    const asked = waiting.get(id);
    if (asked === undefined) return; // lost, and here after all
    waiting.delete(id);
    clearTimeout(asked.timer);
    asked.resolve(status);
  };
  socket.on('message', (data: Buffer, isBinary) => {
    if (isBinary) settle(data.readUInt32LE(0), data.readUInt16LE(4));
  });
  socket.on('error', () => undefined);
  socket.on('close', () => {
    for (const id of [...waiting.keys()]) settle(id, 0);
  });
  return {
    canPipeline: true,
    ask: () =>
      new Promise((resolve) => {
        if (socket.readyState !== WebSocket.OPEN) return resolve(0);
        const id = numAsked++ % 2 ** 32;
        waiting.set(id, { resolve, timer: setTimeout(() => settle(id, 0), timeoutMs) });
        const own = Buffer.from(frame);
        own.writeUInt32LE(id, 0);
        socket.send(own);
      }),
    close: () => socket.terminate(),
  };
}

interface Waiting {
  resolve(status: number): void;
  readonly timer: NodeJS.Timeout;
}

/** One row of zeros, and a mask that allows everything. */
function frameOf({ model, priority }: LoadTarget): Buffer {
  const { observationSize, observationBytes, maskSize } = model;
  const numBytes = observationSize * observationBytes;
  const frame = Buffer.alloc(HEADER_BYTES + numBytes + maskSize);
  frame.writeUInt16LE(1, 4);
  frame[6] = priority;
  frame.fill(1, HEADER_BYTES + numBytes);
  return frame;
}
