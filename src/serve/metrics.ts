/** What a server counts, as text that Prometheus reads. */
import { operantVersion } from '../machine/operant-version.ts';

/** A model's name and version, as labels. */
export interface ModelLabels {
  readonly name: string;
  readonly version: string;
}

export interface ServeMetrics {
  countRequest(code: number, seconds: number): void;
  countReload(result: 'success' | 'failure'): void;
  observeWait(model: ModelLabels, priority: number, seconds: number): void;
  observeBatch(model: ModelLabels, numRows: number, seconds: number): void;
  /** Drops what was observed of a version: a server that follows a run would keep every checkpoint's. */
  forget(model: ModelLabels): void;
  /** @param gauges what is true now. */
  text(gauges: readonly ModelGauges[], inFlight: number): string;
}

export interface ModelGauges extends ModelLabels {
  readonly depths: readonly number[];
  readonly isDefault: boolean;
}

interface Histogram {
  readonly counts: number[];
  sum: number;
  count: number;
}

const SECONDS = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1];
const ROWS = [1, 2, 4, 8, 16, 32, 64, 128, 256];

const escapeLabel = (value: string) =>
  value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
const labelsOf = (labels: Readonly<Record<string, string | number>>) =>
  Object.entries(labels)
    .map(([name, value]) => `${name}="${escapeLabel(String(value))}"`)
    .join(',');

export function createServeMetrics(): ServeMetrics {
  const counters = new Map<string, Map<string, number>>();
  const histograms = new Map<string, Map<string, Histogram>>();
  const add = (name: string, labels: string) => {
    const family = counters.get(name) ?? new Map<string, number>();
    counters.set(name, family.set(labels, (family.get(labels) ?? 0) + 1));
  };
  const observe = (name: string, labels: string, bounds: readonly number[], value: number) => {
    const family = histograms.get(name) ?? new Map<string, Histogram>();
    histograms.set(name, family);
    const histogram = family.get(labels) ?? { counts: bounds.map(() => 0), sum: 0, count: 0 };
    family.set(labels, histogram);
    const bucket = bounds.findIndex((bound) => value <= bound);
    if (bucket >= 0) histogram.counts[bucket] += 1;
    histogram.sum += value;
    histogram.count += 1;
  };
  return {
    countRequest(code, seconds) {
      add('requests', labelsOf({ code }));
      observe('request_duration_seconds', '', SECONDS, seconds);
    },
    countReload: (result) => add('reloads', labelsOf({ result })),
    observeWait: ({ name, version }, priority, seconds) =>
      observe('queue_wait_seconds', labelsOf({ model: name, version, priority }), SECONDS, seconds),
    observeBatch({ name, version }, numRows, seconds) {
      const labels = labelsOf({ model: name, version });
      observe('batch_size', labels, ROWS, numRows);
      observe('model_seconds', labels, SECONDS, seconds);
    },
    forget({ name, version }) {
      const labels = labelsOf({ model: name, version });
      for (const family of histograms.values())
        for (const key of family.keys())
          if (key === labels || key.startsWith(`${labels},`)) family.delete(key);
    },
    text(gauges, inFlight) {
      const lines: string[] = [];
      for (const [name, help] of Object.entries(COUNTERS)) {
        lines.push(
          `# HELP operant_serve_${name}_total ${help}`,
          `# TYPE operant_serve_${name}_total counter`,
        );
        for (const [labels, count] of counters.get(name) ?? [])
          lines.push(`operant_serve_${name}_total{${labels}} ${count}`);
      }
      for (const [name, [help, bounds]] of Object.entries(HISTOGRAMS)) {
        lines.push(`# HELP operant_serve_${name} ${help}`, `# TYPE operant_serve_${name} histogram`);
        for (const [labels, histogram] of histograms.get(name) ?? [])
          lines.push(...histogramLines(`operant_serve_${name}`, labels, bounds, histogram));
      }
      lines.push(...gaugeLines(gauges, inFlight));
      return `${lines.join('\n')}\n`;
    },
  };
}

const COUNTERS = {
  requests: 'Requests answered, by HTTP status.',
  reloads: 'Versions loaded because a pointer moved, by result.',
};
const HISTOGRAMS: Readonly<Record<string, readonly [string, readonly number[]]>> = {
  request_duration_seconds: ['From the headers of a request to its answer.', SECONDS],
  queue_wait_seconds: ['Time in the queue.', SECONDS],
  batch_size: ['Rows that went through a model together.', ROWS],
  model_seconds: ['Time in a model, a batch.', SECONDS],
};

function histogramLines(
  name: string,
  labels: string,
  bounds: readonly number[],
  { counts, sum, count }: Histogram,
): string[] {
  const between = labels === '' ? '' : `${labels},`;
  let total = 0;
  const buckets = bounds.map((bound, k) => {
    total += counts[k];
    return `${name}_bucket{${between}le="${bound}"} ${total}`;
  });
  const of = labels === '' ? '' : `{${labels}}`;
  return [
    ...buckets,
    `${name}_bucket{${between}le="+Inf"} ${count}`,
    `${name}_sum${of} ${sum}`,
    `${name}_count${of} ${count}`,
  ];
}

function gaugeLines(gauges: readonly ModelGauges[], inFlight: number): string[] {
  const gauge = (name: string, help: string, values: readonly (readonly [string, number])[]) => [
    `# HELP operant_serve_${name} ${help}`,
    `# TYPE operant_serve_${name} gauge`,
    ...values.map(([labels, value]) => `operant_serve_${name}${labels === '' ? '' : `{${labels}}`} ${value}`),
  ];
  const depths = gauges.flatMap(({ name, version, depths }) =>
    depths.map((depth, k) => [labelsOf({ model: name, version, priority: k + 1 }), depth] as const),
  );
  const loaded = gauges.map(
    ({ name, version, isDefault }) =>
      [labelsOf({ model: name, version, default: String(isDefault) }), 1] as const,
  );
  const build = labelsOf({ version: operantVersion(), node: process.versions.node });
  return [
    ...gauge('queue_depth', 'Requests that wait.', depths),
    ...gauge('model_loaded', 'Versions in memory.', loaded),
    ...gauge('in_flight', 'Requests that have no answer yet.', [['', inFlight]]),
    ...gauge('build_info', 'Versions of the program.', [[build, 1]]),
  ];
}
