/** A real Prometheus scrapes a real server and answers the queries of the dashboard. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { queriesOf } from '../../src/serve/dashboard.ts';
import { metricDeclarations } from '../../src/serve/metric-declarations.ts';
import { createPolicyServer, type PolicyServer } from '../../src/serve/policy-server.ts';
import { shippedCheckpoint } from '../reference/shipped-policies.ts';

const isThere = spawnSync('prometheus', ['--version']).status === 0;
if (process.env.OPERANT_REQUIRE_PROMETHEUS === '1' && !isThere)
  throw new Error('OPERANT_REQUIRE_PROMETHEUS is set, and there is no Prometheus.');

const folder = mkdtempSync(join(tmpdir(), 'operant-prometheus-'));
let server: PolicyServer | undefined;
let prometheus: ChildProcess | undefined;
afterAll(async () => {
  await server?.close();
  if (prometheus !== undefined && prometheus.exitCode === null) {
    prometheus.kill('SIGKILL');
    await once(prometheus, 'exit');
  }
  rmSync(folder, { recursive: true, force: true });
});

interface Answer {
  readonly status: string;
  readonly data: { readonly result: readonly { readonly value: readonly [number, string] }[] };
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as { port: number };
  probe.close();
  await once(probe, 'close');
  return port;
}

describe.skipIf(!isThere)('Prometheus', () => {
  test('scrapes the server, and finds what the dashboard asks for', { timeout: 120_000 }, async () => {
    const policies = [{ name: 'cart', path: await shippedCheckpoint('ppo, categorical') }];
    server = await createPolicyServer({ policies, port: 0, adminPort: 0 });
    const body = JSON.stringify({ observation: [0, 0, 0, 0] });
    for (let k = 0; k < 10; k++) await fetch(`${server.url}/act`, { method: 'POST', body });
    const port = await freePort();
    const config = {
      global: { scrape_interval: '200ms' },
      scrape_configs: [
        { job_name: 'operant', static_configs: [{ targets: [new URL(server.adminUrl ?? '').host] }] },
      ],
    };
    writeFileSync(join(folder, 'prometheus.yml'), JSON.stringify(config)); // JSON is YAML
    prometheus = spawn(
      'prometheus',
      [
        `--config.file=${join(folder, 'prometheus.yml')}`,
        `--storage.tsdb.path=${join(folder, 'data')}`,
        `--web.listen-address=127.0.0.1:${port}`,
      ],
      { stdio: 'ignore' },
    );
    const ask = async (query: string): Promise<Answer['data']['result']> => {
      const url = `http://127.0.0.1:${port}/api/v1/query?query=${encodeURIComponent(query)}`;
      const response = await fetch(url).catch(() => null);
      const answer = (await response?.json()) as Answer | undefined;
      return answer?.status === 'success' ? answer.data.result : [];
    };
    const requests = async () => (await ask('operant_serve_requests_total{code="200"}'))[0]?.value[1];
    await expect.poll(requests, { timeout: 60_000, interval: 100 }).toBe('10');
    for (const [name, declaration] of metricDeclarations()) {
      for (const { expr } of queriesOf(name, declaration)) {
        const url = `http://127.0.0.1:${port}/api/v1/query?query=${encodeURIComponent(expr.replaceAll('$__rate_interval', '10s'))}`;
        expect(((await (await fetch(url)).json()) as Answer).status, expr).toBe('success');
      }
    }
    const batches = await ask('sum(operant_serve_batch_size_count{model="cart"})');
    expect(Number(batches[0].value[1])).toBeGreaterThanOrEqual(1);
  });
});
