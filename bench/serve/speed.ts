/** One policy behind one server after the other, in turns: requests a second, processor time a request, latency at one connection. */
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { exportPolicy, loadPolicy } from '../../src/index.ts';
import { mlpParameterLayout } from '../../src/policy/networks/mlp-parameters.ts';
import { median } from '../statistics.ts';
import { jsonClient, type Load, loadServer, socketClient } from './load.ts';
import { makePlainPolicy } from './policies.ts';
import { startServed } from './served.ts';

export interface SpeedOptions {
  readonly numRounds: number;
  /** One with fastapi, uvicorn, torch and onnxruntime; '' = none. */
  readonly python: string;
  /** One with ray[serve]; '' = none. */
  readonly rayPython: string;
}

interface Subject {
  readonly name: string;
  readonly port: number;
  readonly pid: number;
  readonly isSocket: boolean;
  stop(): Promise<void>;
}

const NUM_CONNECTIONS = 32;
const ROUND_MS = 2_000;

export async function measureSpeed(folder: string, options: SpeedOptions): Promise<boolean> {
  const subjects = await startSubjects(folder, options);
  const rows = subjects.map((): { many: Load; one: Load }[] => []);
  try {
    for (let round = 0; round <= options.numRounds; round++) {
      for (const [k, { port, pid, isSocket }] of subjects.entries()) {
        const client = (isSocket ? socketClient : jsonClient)(port);
        const many = await loadServer(client, pid, { numConnections: NUM_CONNECTIONS, ms: ROUND_MS });
        const one = await loadServer(client, pid, { numConnections: 1, ms: ROUND_MS / 4 });
        if (round > 0) rows[k].push({ many, one }); // the first round warms up
      }
    }
  } finally {
    for (const { stop } of subjects) await stop();
  }
  tell(subjects, rows);
  return true;
}

async function startSubjects(folder: string, { python, rayPython }: SpeedOptions): Promise<Subject[]> {
  const path = await makePlainPolicy(folder);
  const weights = join(folder, 'layers.json');
  writeFileSync(weights, JSON.stringify({ layers: await layersOf(path) }));
  const bare = await startServed({ kind: 'bare' });
  const options = { policies: [{ name: 'cart', path }], port: 0, reloadMs: 0 };
  const served = await startServed({ kind: 'operant', options });
  const subjects: Subject[] = [
    { ...bare, name: 'bare node:http', isSocket: false },
    { ...served, name: 'operant serve, JSON', isSocket: false },
    { ...served, name: 'operant serve, WebSocket', isSocket: true, stop: async () => undefined },
  ];
  const onnx = join(folder, 'policy.onnx');
  if (python !== '') {
    await exportPolicy({ checkpoint: path, to: 'onnx', out: onnx });
    subjects.push(await startPython(python, 'torch', weights, 'FastAPI + PyTorch'));
    subjects.push(await startPython(python, 'onnx', onnx, 'FastAPI + onnxruntime'));
  }
  if (rayPython !== '') subjects.push(await startPython(rayPython, 'ray', weights, 'Ray Serve'));
  return subjects;
}

const SCRIPT = fileURLToPath(new URL('./python_server.py', import.meta.url));
const START_MS = 120_000;

/** Waits until it has answered once. */
async function startPython(python: string, kind: string, weights: string, name: string): Promise<Subject> {
  const child = spawn(python, [SCRIPT, kind, weights], { stdio: ['ignore', 'pipe', 'inherit'] });
  const port = await new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`${name} ended with ${code}.`)));
    let text = '';
    child.stdout.on('data', (chunk) => {
      text += chunk;
      const line = /^(\d+)$/m.exec(text);
      if (line !== null && text.includes('\n')) resolve(Number(line[1]));
    });
  });
  const end = performance.now() + START_MS;
  for (;;) {
    const body = '{"observation": [0, 0, 0, 0]}';
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(`http://127.0.0.1:${port}/act`, { method: 'POST', headers, body }).catch(
      () => null,
    );
    if (response?.ok) break;
    if (performance.now() > end) throw new Error(`${name} did not answer in ${START_MS / 1000} s.`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  const stop = () =>
    new Promise<void>((resolve) => {
      child.once('exit', () => resolve());
      child.kill(kind === 'ray' ? 'SIGINT' : 'SIGTERM'); // Ray ends its processes where Python ends as it wants to
    });
  return { name, port, pid: child.pid ?? 0, isSocket: false, stop };
}

/** The actor's layers, for Python. */
async function layersOf(path: string) {
  const { spec, parameters } = await loadPolicy(path);
  if (spec.network.kind !== 'mlp') throw new Error('Expected an MLP.');
  const { entries } = mlpParameterLayout({ ...spec, network: spec.network });
  const tensor = (name: string) => {
    const entry = entries.find((found) => found.name === name);
    if (entry === undefined) throw new Error(`No tensor ${name}.`);
    return { shape: entry.shape, data: [...parameters.subarray(entry.offset, entry.offset + entry.size)] };
  };
  return [...spec.network.hiddenSizes.map((_, k) => `actor/${k}`), 'actor/head'].map((name) => {
    const { shape, data } = tensor(`${name}/kernel`);
    const [numInputs, numOutputs] = shape;
    const kernel = Array.from({ length: numInputs }, (_, i) =>
      data.slice(i * numOutputs, (i + 1) * numOutputs),
    );
    return { kernel, bias: tensor(`${name}/bias`).data };
  });
}

/** Medians with the smallest and largest round; ratios are medians of ratios within a round. */
function tell(subjects: readonly Subject[], rows: readonly (readonly { many: Load; one: Load }[])[]): void {
  const ours = rows[1];
  const show = (values: readonly number[], digits: number) =>
    `${median(values).toFixed(digits)} (${Math.min(...values).toFixed(digits)}-${Math.max(...values).toFixed(digits)})`;
  console.log(
    `| | requests/s, ${NUM_CONNECTIONS} connections | processor time a request, us | operant's JSON beside it, requests/s | by processor time | p50 at one connection, ms |`,
  );
  console.log('| --- | --- | --- | --- | --- | --- |');
  for (const [k, { name }] of subjects.entries()) {
    const many = rows[k].map((row) => row.many);
    const rates = many.map(({ requestsPerSecond }, r) => ours[r].many.requestsPerSecond / requestsPerSecond);
    const costs = many.map(({ cpuUs }, r) => cpuUs / ours[r].many.cpuUs);
    const cells = [
      ...[
        name,
        show(
          many.map((load) => load.requestsPerSecond),
          0,
        ),
        show(
          many.map((load) => load.cpuUs),
          1,
        ),
      ],
      ...[
        show(rates, 2),
        show(costs, 2),
        show(
          rows[k].map(({ one }) => one.p50Ms),
          3,
        ),
      ],
    ];
    console.log(`| ${cells.join(' | ')} |`);
  }
}
