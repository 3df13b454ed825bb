/** Spans of a server with several processes: each has an SDK of its own, and sends what it holds before it ends. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { createPolicyServer } from '../../src/serve/policy-server.ts';
import { shippedCheckpoint } from '../reference/shipped-policies.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const TELEMETRY = fileURLToPath(new URL('./fixtures/telemetry.mjs', import.meta.url));
const TRACE = '0af7651916cd43dd8448eb211c80319c';
const NUM_REQUESTS = 40;

async function open() {
  const policies = [{ name: 'cart', path: await shippedCheckpoint('ppo, categorical') }];
  return createPolicyServer({ policies, port: 0, workers: 2, tracing: true, reloadMs: 0, timeoutMs: 60_000 });
}

function setVariable(name: string, value: string): void {
  const before = process.env[name];
  process.env[name] = value;
  onTestFinished(() => {
    if (before === undefined) delete process.env[name];
    else process.env[name] = before;
  });
}

const HOW: Readonly<Record<string, () => void>> = {
  NODE_OPTIONS: () => setVariable('NODE_OPTIONS', `--import=${TELEMETRY}`),
  'arguments of node': () => {
    process.execArgv.push('--import', TELEMETRY);
    onTestFinished(() => void process.execArgv.splice(-2));
  },
};

test.each(Object.keys(HOW))(
  'a module given by %s is loaded by all processes, and no span is lost',
  {
    timeout: 180_000,
  },
  async (how) => {
    const file = join(temporaryFolder(), 'spans.jsonl');
    setVariable('OPERANT_TEST_SPANS', file);
    HOW[how]();
    const server = await open();
    const body = JSON.stringify({ observation: [0, 0, 0, 0] });
    const headers = { connection: 'close', traceparent: `00-${TRACE}-b7ad6b7169203331-01` };
    const ask = async () => (await fetch(`${server.url}/act`, { method: 'POST', headers, body })).status;
    const statuses = await Promise.all(Array.from({ length: NUM_REQUESTS }, ask));
    expect(new Set(statuses)).toEqual(new Set([200]));
    await server.close();
    const spans = readFileSync(file, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    const counts = Object.fromEntries(
      [...new Set(spans.map(({ name }) => name))].map((name) => [
        name,
        spans.filter((span) => span.name === name).length,
      ]),
    );
    const n = NUM_REQUESTS;
    expect(counts).toEqual({ 'POST /act': n, queue: n, batch: n, model: n });
    expect(new Set(spans.map(({ traceId }) => traceId))).toEqual(new Set([TRACE]));
    for (const { pid } of spans) expect(pid).not.toBe(process.pid);
  },
);

test('without one it says what to do', { timeout: 180_000 }, async () => {
  const error = expect.objectContaining({
    code: 'CONFIG_SERVE',
    message: expect.stringContaining('NODE_OPTIONS'),
  });
  await expect(open()).rejects.toThrow(error);
});
