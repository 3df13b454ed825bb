/**
 * `npm run bench:serve`: POST /act beside a bare node:http handler that parses the same request and answers. Each server is a process of its own, the
 * requests come from this one; the two take turns, and the ratio is what counts.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createPolicyServer, PPOConfig } from '../src/index.ts';

const NUM_CONNECTIONS = 32;
const ROUND_MS = 2_000;
const NUM_ROUNDS = 3;
const body = JSON.stringify({ observation: [0.01, -0.02, 0.03, 0.04] });
const REQUEST = `POST /act HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`;

const [, , role, checkpoint] = process.argv;
if (role === 'bare') await serveBare();
else if (role === 'operant') await serveOperant(checkpoint);
else await main();

async function serveBare(): Promise<void> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk) => void chunks.push(chunk));
    request.on('end', () => {
      const { observation } = JSON.parse(Buffer.concat(chunks).toString('utf8'));
      const answer = JSON.stringify({ action: observation[0] > 0 ? 1 : 0 });
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': answer.length });
      response.end(answer);
    });
  });
  server.listen(0, '127.0.0.1', () => process.send?.((server.address() as { port: number }).port));
}

async function serveOperant(path: string): Promise<void> {
  const { url } = await createPolicyServer({ policies: [{ name: 'cart', path }], port: 0, reloadMs: 0 });
  process.send?.(Number(new URL(url).port));
}

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'operant-bench-'));
  const algorithm = await new PPOConfig()
    .environment('CartPole-v1')
    .envRunners({ numEnvRunners: 0 })
    .training({ hiddenSizes: [64, 64] })
    .build();
  const path = await algorithm.save(join(folder, 'checkpoint'));
  await algorithm.stop();
  const servers = await Promise.all(['bare', 'operant'].map((name) => start(name, path)));
  try {
    const rows: { rate: number; single: number }[][] = [[], []];
    for (let round = 0; round < NUM_ROUNDS; round++) {
      for (const [k, { port }] of servers.entries()) {
        const { numAnswers } = await load(port, NUM_CONNECTIONS);
        const { latencies } = await load(port, 1);
        rows[k].push({ rate: numAnswers / (ROUND_MS / 1000), single: median(latencies) });
      }
    }
    const [bare, operant] = rows.map((round) => ({
      rate: median(round.map(({ rate }) => rate)),
      single: median(round.map(({ single }) => single)),
    }));
    console.log(
      `bare node:http   ${bare.rate.toFixed(0)} requests/s at ${NUM_CONNECTIONS} connections, p50 ${bare.single.toFixed(3)} ms at one`,
    );
    console.log(
      `operant serve    ${operant.rate.toFixed(0)} requests/s at ${NUM_CONNECTIONS} connections, p50 ${operant.single.toFixed(3)} ms at one`,
    );
    console.log(`ratio            ${(operant.rate / bare.rate).toFixed(2)}`);
  } finally {
    for (const { child } of servers) child.kill();
    rmSync(folder, { recursive: true, force: true });
  }
}

function start(name: string, path: string): Promise<{ child: ChildProcess; port: number }> {
  const child = fork(fileURLToPath(import.meta.url), [name, path], { execArgv: process.execArgv });
  return new Promise((resolve, reject) => {
    child.once('message', (port) => resolve({ child, port: port as number }));
    child.once('exit', (code) => reject(new Error(`The server ${name} ended with ${code}.`)));
  });
}

/** Each connection sends its next request when it has its answer. Latencies in ms. */
async function load(
  port: number,
  numConnections: number,
): Promise<{ numAnswers: number; latencies: number[] }> {
  const latencies: number[] = [];
  const end = performance.now() + ROUND_MS;
  await Promise.all(
    Array.from(
      { length: numConnections },
      () =>
        new Promise<void>((resolve, reject) => {
          let sent = 0;
          const socket = connect(port, '127.0.0.1');
          const next = () => {
            sent = performance.now();
            if (sent >= end) socket.end();
            else socket.write(REQUEST);
          };
          socket
            .on('connect', next)
            .on('error', reject)
            .on('close', () => resolve());
          socket.on('data', (chunk) => {
            if (!chunk.includes('200 OK')) reject(new Error(chunk.toString()));
            latencies.push(performance.now() - sent);
            next();
          });
        }),
    ),
  );
  return { numAnswers: latencies.length, latencies };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}
