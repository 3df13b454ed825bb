/** Clients that ask again when they have their answer, from this process; and what a server's process computed meanwhile. */
import { readdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { WebSocket } from 'ws';
import { median } from '../statistics.ts';

export interface Load {
  readonly requestsPerSecond: number;
  /** Processor time of the server for a request, us; NaN where the system does not tell. */
  readonly cpuUs: number;
  readonly p50Ms: number;
}

type Client = (end: number, latencies: number[]) => Promise<void>;

/** @param pid whose processor time counts, that of its descendants included. */
export async function loadServer(
  client: Client,
  pid: number,
  { numConnections, ms }: { readonly numConnections: number; readonly ms: number },
): Promise<Load> {
  const latencies: number[] = [];
  const [cpuBefore, began] = [cpuUsOf(pid), performance.now()];
  await Promise.all(Array.from({ length: numConnections }, () => client(began + ms, latencies)));
  const seconds = (performance.now() - began) / 1000;
  const cpuUs = (cpuUsOf(pid) - cpuBefore) / latencies.length;
  return { requestsPerSecond: latencies.length / seconds, cpuUs, p50Ms: median(latencies) };
}

const BODY = JSON.stringify({ observation: [0.01, -0.02, 0.03, 0.04] });
const REQUEST = `POST /act HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ${BODY.length}\r\n\r\n${BODY}`;

/** One connection that is kept. An answer may come in pieces: its end is where its length says, or its last chunk (Ray Serve's). */
export const jsonClient =
  (port: number): Client =>
  (end, latencies) =>
    new Promise((resolve, reject) => {
      let [sent, text] = [0, ''];
      const socket = connect(port, '127.0.0.1');
      const next = () => {
        sent = performance.now();
        if (sent >= end) socket.end();
        else socket.write(REQUEST);
      };
      socket.on('connect', next).on('error', reject);
      socket.on('close', () => resolve());
      socket.on('data', (chunk) => {
        text += chunk.toString('latin1');
        if (!isWhole(text)) return;
        if (!text.startsWith('HTTP/1.1 200')) return reject(new Error(text));
        text = '';
        latencies.push(performance.now() - sent);
        next();
      });
    });

function isWhole(text: string): boolean {
  const head = text.indexOf('\r\n\r\n');
  if (head < 0) return false;
  const length = /content-length: (\d+)/i.exec(text)?.[1];
  return length === undefined ? text.endsWith('\r\n0\r\n\r\n') : text.length >= head + 4 + Number(length);
}

export const socketClient =
  (port: number, frameBytes = 8 + 16): Client =>
  (end, latencies) =>
    new Promise((resolve, reject) => {
      let sent = 0;
      const frame = Buffer.alloc(frameBytes);
      frame.writeUInt16LE(1, 4);
      const socket = new WebSocket(`ws://127.0.0.1:${port}/act`, { perMessageDeflate: false });
      const next = () => {
        sent = performance.now();
        if (sent >= end) socket.close();
        else socket.send(frame);
      };
      socket.on('open', next).on('error', reject);
      socket.on('close', () => resolve());
      socket.on('message', (data: Buffer, isBinary) => {
        if (!isBinary) return;
        if (data.readUInt16LE(4) !== 200) return reject(new Error(data.toString('utf8', 8)));
        latencies.push(performance.now() - sent);
        next();
      });
    });

const TICK_US = 10_000; // of Linux: 100 a second

/** Of a process and its descendants, from /proc. */
function cpuUsOf(pid: number): number {
  try {
    const all = readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map((name) => statOf(Number(name)))
      .filter((stat) => stat !== null);
    const family = new Set([pid]);
    for (let size = 0; size !== family.size; ) {
      size = family.size;
      for (const { pid: child, parent } of all) if (family.has(parent)) family.add(child);
    }
    return TICK_US * all.reduce((sum, { pid: own, ticks }) => sum + (family.has(own) ? ticks : 0), 0);
  } catch {
    return Number.NaN;
  }
}

function statOf(pid: number): { pid: number; parent: number; ticks: number } | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return { pid, parent: Number(fields[1]), ticks: Number(fields[11]) + Number(fields[12]) };
  } catch {
    return null; // it has ended
  }
}
