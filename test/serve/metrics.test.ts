/** Metrics as Prometheus reads them, over processes, and on a dashboard. */
import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { dashboard, queriesOf } from '../../src/serve/dashboard.ts';
import { METRIC_PREFIX, metricDeclarations, SERVE_METRICS } from '../../src/serve/metric-declarations.ts';
import { createServeMetrics } from '../../src/serve/metrics.ts';
import { mergeSamples, metricsText, type Samples } from '../../src/serve/metrics-text.ts';

const model = { name: 'a "quoted" \\ name', version: '1' };

function samplesOf(numRequests: number): Samples {
  const metrics = createServeMetrics();
  for (let k = 0; k < numRequests; k++) metrics.countRequest(200, 0.0002);
  metrics.countRejection('full');
  metrics.countReload('success');
  metrics.observeLoad(model, 0.1);
  const { observeWait, observeBatch } = metrics.ofModel(model);
  observeWait(1, 2);
  observeBatch(3, 0.001);
  metrics.stop();
  const gauges = { ...model, depths: [2, 0], isDefault: true, breaker: 'open', bytes: 8 } as const;
  return metrics.collect({ models: [gauges], inFlight: numRequests, numWebSockets: 1, numSessions: 0 });
}

test('a histogram counts up to each bound, by hand', () => {
  const text = metricsText(samplesOf(3));
  expect(text).toContain('operant_serve_request_duration_seconds_bucket{le="0.0001"} 0\n');
  expect(text).toContain('operant_serve_request_duration_seconds_bucket{le="0.00025"} 3\n');
  expect(text).toContain('operant_serve_request_duration_seconds_bucket{le="+Inf"} 3\n');
  expect(text).toContain('operant_serve_request_duration_seconds_count 3\n');
  const labels = 'model="a \\"quoted\\" \\\\ name",version="1"';
  expect(text).toContain(`operant_serve_queue_wait_seconds_bucket{${labels},priority="1",le="1"} 0\n`);
  expect(text).toContain(`operant_serve_breaker_state{${labels}} 2\n`);
});

test('of several processes: sums, and the largest of what is no amount', () => {
  const merged = mergeSamples([samplesOf(3), samplesOf(4)]);
  expect(merged.requests_total).toEqual({ 'code="200"': 7 });
  expect(merged.request_duration_seconds?.['']).toMatchObject({ count: 7 });
  expect(merged.in_flight).toEqual({ '': 7 });
  expect(Object.values(merged.breaker_state ?? {})).toEqual([2]);
  expect(merged.processes).toEqual({ '': 2 });
});

test('what is declared is what is told, and every metric has a panel', () => {
  const told = Object.keys(samplesOf(1)).sort();
  expect(told).toEqual(Object.keys(SERVE_METRICS).sort());
  const { panels } = dashboard() as { panels: { targets: { expr: string }[] }[] };
  expect(panels).toHaveLength(metricDeclarations().length - 1); // build_info
  for (const [name, declaration] of metricDeclarations()) {
    const known = new Set([name, `${name}_bucket`].map((suffix) => METRIC_PREFIX + suffix));
    for (const { expr } of queriesOf(name, declaration))
      expect([...expr.matchAll(/operant_\w+/g)].every(([used]) => known.has(used))).toBe(true);
  }
});

const hasPromtool = spawnSync('promtool', ['--version']).status === 0;
if (process.env.OPERANT_REQUIRE_PROMETHEUS === '1' && !hasPromtool)
  throw new Error('OPERANT_REQUIRE_PROMETHEUS is set, and there is no promtool.');
describe.skipIf(!hasPromtool)('promtool', () => {
  test('finds nothing', () => {
    const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], {
      input: metricsText(samplesOf(2)),
      encoding: 'utf8',
    });
    expect({ status, said: stdout + stderr }).toEqual({ status: 0, said: '' });
  });
});
