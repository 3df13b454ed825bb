/**
 * Everything that clients and disks do to a server, over and over, beside honest ones: fuzzed bodies and frames, wrong tokens, slow and silent
 * clients, WebSockets that are torn off, sessions that are left behind, reloads whose disk has gone. Between two rounds nobody is connected, and
 * what the server still holds is looked at.
 */
import { cpSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { WebSocket } from 'ws';
import { openStream } from '../../src/random/streams.ts';
import { median } from '../statistics.ts';
import { openConnection, postOf } from './connection.ts';
import { type FuzzCounts, type FuzzTarget, fuzzBodies, fuzzFrames } from './fuzz.ts';
import type { Holdings, Served } from './served.ts';
import { holdManyOpen, leaveUnread } from './slow-clients.ts';

export interface SoakSample extends Holdings {
  readonly seconds: number;
  readonly inFlight: number;
  readonly webSockets: number;
  readonly sessions: number;
}

export interface SoakReport {
  readonly samples: readonly SoakSample[];
  /** What was done, and what came of it. */
  readonly counts: Record<string, number>;
  readonly failures: string[];
}

export interface SoakSubject {
  readonly server: Served;
  readonly target: FuzzTarget;
  /** A model with memory, of two numbers. */
  readonly recurrent: string;
  /** After which the server forgets a session, ms. */
  readonly sessionMs: number;
  /** The run folder of the target's model: its `latest` names one of two checkpoints. */
  readonly run: string;
}

const BODIES_PER_ROUND = 2_000;
const FRAMES_PER_ROUND = 200;
const SESSIONS_PER_ROUND = 50;
const SLOW_EACH = 5;
const SLOW_PATIENCE_MS = 60_000;
const MAX_TOLD = 10;

export async function soakServer(subject: SoakSubject, seconds: number, seed: number): Promise<SoakReport> {
  const began = performance.now();
  const report: SoakReport = { samples: [], counts: {}, failures: [] };
  const samples: SoakSample[] = [];
  const elapsed = () => (performance.now() - began) / 1000;
  for (let round = 0; round === 0 || elapsed() < seconds; round++) {
    await playRound(subject, seed + round, round, report);
    samples.push({ seconds: elapsed(), ...(await subject.server.holdings()), ...(await gauges(subject)) });
  }
  return { ...report, samples };
}

async function playRound(
  subject: SoakSubject,
  seed: number,
  round: number,
  report: SoakReport,
): Promise<void> {
  const { server, target } = subject;
  const { port } = server;
  const { token } = target;
  // Slow clients take longest: the others go on meanwhile.
  const slow = holdManyOpen(port, { numEach: SLOW_EACH, token, patienceMs: SLOW_PATIENCE_MS });
  const honest = playHonestly(subject, seed, report);
  for (const fuzz of [fuzzBodies(target, BODIES_PER_ROUND, seed), fuzzFrames(target, FRAMES_PER_ROUND, seed)])
    take(await fuzz, report);
  await leaveUnread(port, 5, token, 1_000);
  await tearWebSockets(subject, report);
  await reloadFromBrokenDisk(subject, round, report);
  for (const { kind, heldMs } of await slow) {
    add(report, `${kind}: ${heldMs === null ? 'never cut off' : 'cut off'}`);
    if (heldMs === null) fail(report, `${kind} was not cut off in ${SLOW_PATIENCE_MS} ms`);
  }
  await honest;
}

/** Sessions, most of which are left behind; each answer is right or says why not. */
async function playHonestly(
  { server, target, recurrent, sessionMs }: SoakSubject,
  seed: number,
  report: SoakReport,
): Promise<void> {
  const stream = openStream(seed, 'honest');
  const connection = openConnection(server.port);
  const headers = `authorization: Bearer ${target.token}\r\n`;
  for (let k = 0; k < SESSIONS_PER_ROUND; k++) {
    const session = `round ${seed}, ${k}`;
    const numSteps = 1 + stream.integer(8);
    for (let t = 0, sentAt = 0; t < numSteps; t++) {
      const before = sentAt;
      sentAt = performance.now();
      const body = {
        model: recurrent,
        session,
        observation: [stream.normal(), 0],
        reset: t === 0,
        end: t === 7,
      };
      const { status, body: text } = await connection.ask(postOf('/act', JSON.stringify(body), headers));
      // On a busy machine this process itself may stand still for so long: then the session is gone, as it should be.
      const isExpired = t > 0 && status === 404 && performance.now() - before >= sessionMs;
      add(report, isExpired ? 'session: expired' : `session: ${status}`);
      if (isExpired) break;
      if (status !== 200) fail(report, `session: ${status} ${text}`);
    }
    const plain = JSON.stringify({ model: target.model, observation: [0, 0, 0, stream.normal()] });
    const { status, body: text } = await connection.ask(postOf('/act', plain, headers));
    add(report, `act: ${status}`);
    if (status !== 200) fail(report, `act: ${status} ${text}`);
  }
  connection.close();
}

/** Connections that ask and go away at once, without a goodbye. */
async function tearWebSockets({ server, target, recurrent }: SoakSubject, report: SoakReport): Promise<void> {
  const protocols = ['operant.act.v1', `operant.token.${target.token}`];
  await Promise.all(
    Array.from(
      { length: 10 },
      () =>
        new Promise<void>((resolve) => {
          const socket = new WebSocket(`ws://127.0.0.1:${server.port}/act?model=${recurrent}`, protocols);
          socket.on('open', () => {
            const frame = Buffer.alloc(16);
            frame.writeUInt16LE(1, 4);
            for (let k = 0; k < 20; k++) socket.send(frame);
            setImmediate(() => socket.terminate());
          });
          socket.on('error', () => undefined).on('close', () => resolve());
        }),
    ),
  );
  add(report, 'WebSockets torn off', 10);
}

/** The pointer moves to a checkpoint whose folder has gone; then it is there again. */
async function reloadFromBrokenDisk(subject: SoakSubject, round: number, report: SoakReport): Promise<void> {
  const name = round % 2 === 0 ? '000002' : '000001';
  const folder = join(subject.run, 'checkpoints', name);
  const away = `${folder}-away`;
  renameSync(folder, away);
  writeFileSync(join(subject.run, 'latest'), `checkpoints/${name}\n`);
  const before = await defaultVersion(subject);
  await admin(subject, '/reload', {});
  if ((await defaultVersion(subject)) !== before)
    fail(report, 'a checkpoint that is gone became the default');
  renameSync(away, folder);
  await admin(subject, '/reload', {});
  add(report, 'reloads from a disk that had gone');
  if ((await defaultVersion(subject)) !== name)
    fail(report, `${name} did not become the default when it was there again`);
}

async function defaultVersion({ server, target }: SoakSubject): Promise<string> {
  const headers = { authorization: `Bearer ${target.token}` };
  const response = await fetch(`http://127.0.0.1:${server.port}/models`, { headers });
  const models = (await response.json()) as { name: string; version: string; isDefault: boolean }[];
  return models.find(({ name, isDefault }) => name === target.model && isDefault)?.version ?? 'none';
}

/** A run folder with the two checkpoints that reloads move between. */
export function makeRun(folder: string, checkpoint: string): string {
  for (const name of ['000001', '000002'])
    cpSync(checkpoint, join(folder, 'checkpoints', name), { recursive: true });
  writeFileSync(join(folder, 'latest'), 'checkpoints/000001\n');
  return folder;
}

function admin({ server, target }: SoakSubject, path: string, body?: object): Promise<Response> {
  return fetch(`http://127.0.0.1:${server.adminPort}${path}`, {
    headers: { authorization: `Bearer ${target.token}` },
    ...(body && { method: 'POST', body: JSON.stringify(body) }),
  });
}

async function gauges(subject: SoakSubject) {
  const text = await (await admin(subject, '/metrics')).text();
  const gauge = (name: string) => Number(new RegExp(`^operant_serve_${name} (\\d+)$`, 'm').exec(text)?.[1]);
  return { inFlight: gauge('in_flight'), webSockets: gauge('web_sockets'), sessions: gauge('sessions') };
}

function add({ counts }: SoakReport, what: string, number = 1): void {
  counts[what] = (counts[what] ?? 0) + number;
}

function fail(report: SoakReport, what: string): void {
  add(report, 'FAILURES');
  if (report.failures.length < MAX_TOLD) report.failures.push(what);
}

function take({ answers, failures, numFailures }: FuzzCounts, report: SoakReport): void {
  for (const [what, number] of Object.entries(answers)) add(report, what, number);
  if (numFailures > 0) add(report, 'FAILURES', numFailures);
  report.failures.push(...failures.slice(0, MAX_TOLD - report.failures.length));
}

/** What may differ between the second and the last quarter of the rounds; the first quarter is warm-up. */
const BOUNDS = {
  rssMib: (before: number, after: number) => after <= before * 1.05 + 16,
  heapMib: (before: number, after: number) => after <= before * 1.05 + 1,
  arrayBuffersMib: (before: number, after: number) => after <= before * 1.05 + 1,
  numResources: (before: number, after: number) => after <= before + 2,
  numFiles: (before: number, after: number) => after <= before + 2,
  inFlight: (_: number, after: number) => after === 0,
  webSockets: (_: number, after: number) => after === 0,
  sessions: (before: number, after: number) => after <= before * 1.5 + 50, // those of the last rounds have not expired yet
} as const;

export function judge(samples: readonly SoakSample[]): {
  readonly lines: string[];
  readonly isFlat: boolean;
} {
  const quarter = Math.max(1, Math.floor(samples.length / 4));
  const parts = [samples.slice(quarter, 2 * quarter), samples.slice(-quarter)];
  let isFlat = samples.length >= 4;
  const lines = Object.entries(BOUNDS).map(([name, isAllowed]) => {
    const quantity = name as keyof typeof BOUNDS;
    const [before, after] = parts.map((part) =>
      part.length === 0 ? 0 : median(part.map((sample) => sample[quantity])),
    );
    const isFine = isAllowed(before, after);
    isFlat &&= isFine;
    return `${quantity}: ${before.toFixed(1)} -> ${after.toFixed(1)}${isFine ? '' : ' (grew)'}`;
  });
  return { lines, isFlat };
}
