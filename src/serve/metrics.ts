/** What a server counts. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { operantVersion } from '../machine/operant-version.ts';
import type { BreakerState } from './circuit-breaker.ts';
import { type MetricName, SERVE_METRICS } from './metric-declarations.ts';
import { labelsOf, type Samples } from './metrics-text.ts';

/** A model's name and version, as labels. */
export interface ModelLabels {
  readonly name: string;
  readonly version: string;
}

export interface ServeMetrics {
  countRequest(code: number, seconds: number): void;
  /** Refused before a model was asked. */
  countRejection(reason: string): void;
  countReload(result: 'success' | 'failure'): void;
  observeLoad(model: ModelLabels, seconds: number): void;
  /** For whoever runs it: what is observed for every request finds its place without a look-up by text. */
  ofModel(model: ModelLabels): ModelMetrics;
  /** Drops what was observed of a version: a server that follows a run would keep every checkpoint's. */
  forget(model: ModelLabels): void;
  /** @param gauges what is true now. */
  collect(gauges: ServerGauges): Samples;
  /** Ends the watch over the event loop. */
  stop(): void;
}

export interface ModelMetrics {
  observeWait(priority: number, seconds: number): void;
  observeBatch(numRows: number, seconds: number): void;
}

export interface ModelGauges extends ModelLabels {
  readonly depths: readonly number[];
  readonly isDefault: boolean;
  readonly breaker: BreakerState;
  /** What it holds in memory. */
  readonly bytes: number;
}

export interface ServerGauges {
  readonly models: readonly ModelGauges[];
  readonly inFlight: number;
  readonly numWebSockets: number;
  readonly numSessions: number;
}

interface GrowingHistogram {
  readonly bounds: readonly number[];
  readonly counts: number[];
  sum: number;
  count: number;
}

type Family<V> = Record<string, V>;

const LAG_RESOLUTION_MS = 10;
const BREAKER_VALUES: Readonly<Record<BreakerState, number>> = { closed: 0, 'half-open': 1, open: 2 };

export function createServeMetrics(): ServeMetrics {
  const numbers: Partial<Record<MetricName, Family<number>>> = {};
  const histograms: Partial<Record<MetricName, Family<GrowingHistogram>>> = {};
  const familyOf = <V>(families: Partial<Record<MetricName, Family<V>>>, name: MetricName): Family<V> => {
    families[name] ??= Object.create(null) as Family<V>;
    return families[name];
  };
  const add = (name: MetricName, labels: string) => {
    const family = familyOf(numbers, name);
    family[labels] = (family[labels] ?? 0) + 1;
  };
  const histogramOf = (name: keyof typeof BUCKETS, labels: string): GrowingHistogram => {
    const family = familyOf(histograms, name);
    const bounds = BUCKETS[name];
    family[labels] ??= { bounds, counts: bounds.map(() => 0), sum: 0, count: 0 };
    return family[labels];
  };
  const labelsOfCodes = new Map<number, string>();
  let durations: GrowingHistogram | null = null;
  const lag = monitorEventLoopDelay({ resolution: LAG_RESOLUTION_MS });
  lag.enable();
  return {
    countRequest(code, seconds) {
      const labels = labelsOfCodes.get(code) ?? labelsOf({ code });
      labelsOfCodes.set(code, labels);
      add('requests_total', labels);
      durations ??= histogramOf('request_duration_seconds', '');
      observe(durations, seconds);
    },
    countRejection: (reason) => add('rejections_total', labelsOf({ reason })),
    countReload: (result) => add('reloads_total', labelsOf({ result })),
    observeLoad({ name, version }, seconds) {
      familyOf(numbers, 'model_load_seconds')[labelsOf({ model: name, version })] = seconds;
    },
    ofModel: (model) => createModelMetrics(model, histogramOf),
    forget({ name, version }) {
      const labels = labelsOf({ model: name, version });
      for (const family of [...Object.values(histograms), ...Object.values(numbers)])
        for (const key of Object.keys(family))
          if (key === labels || key.startsWith(`${labels},`)) delete family[key];
    },
    collect(gauges) {
      // A timer's own period is no delay.
      const lagSeconds = Math.max(0, lag.percentile(99) / 1e9 - LAG_RESOLUTION_MS / 1e3);
      lag.reset();
      return { ...numbers, ...histograms, ...gaugeSamples(gauges, lagSeconds) };
    },
    stop: () => void lag.disable(),
  };
}

function createModelMetrics(
  { name: model, version }: ModelLabels,
  histogramOf: (name: keyof typeof BUCKETS, labels: string) => GrowingHistogram,
): ModelMetrics {
  const labels = labelsOf({ model, version });
  const waits: GrowingHistogram[] = []; // by priority
  let sizes: GrowingHistogram | null = null;
  let durations: GrowingHistogram | null = null;
  return {
    observeWait(priority, seconds) {
      waits[priority] ??= histogramOf('queue_wait_seconds', labelsOf({ model, version, priority }));
      observe(waits[priority], seconds);
    },
    observeBatch(numRows, seconds) {
      sizes ??= histogramOf('batch_size', labels);
      durations ??= histogramOf('model_seconds', labels);
      observe(sizes, numRows);
      observe(durations, seconds);
    },
  };
}

function observe(histogram: GrowingHistogram, value: number): void {
  const { bounds, counts } = histogram;
  let bucket = 0;
  while (bucket < bounds.length && value > bounds[bucket]) bucket += 1;
  if (bucket < bounds.length) counts[bucket] += 1;
  histogram.sum += value;
  histogram.count += 1;
}

const { request_duration_seconds, queue_wait_seconds, batch_size, model_seconds } = SERVE_METRICS;
const BUCKETS = {
  request_duration_seconds: request_duration_seconds.buckets,
  queue_wait_seconds: queue_wait_seconds.buckets,
  batch_size: batch_size.buckets,
  model_seconds: model_seconds.buckets,
};

function gaugeSamples(
  { models, inFlight, numWebSockets, numSessions }: ServerGauges,
  lagSeconds: number,
): Samples {
  const ofModels = (measure: (model: ModelGauges) => number) =>
    Object.fromEntries(
      models.map((model) => [labelsOf({ model: model.name, version: model.version }), measure(model)]),
    );
  const depths = models.flatMap(({ name, version, depths }) =>
    depths.map((depth, k) => [labelsOf({ model: name, version, priority: k + 1 }), depth] as const),
  );
  const loaded = models.map(
    ({ name, version, isDefault }) =>
      [labelsOf({ model: name, version, default: String(isDefault) }), 1] as const,
  );
  return {
    queue_depth: Object.fromEntries(depths),
    model_loaded: Object.fromEntries(loaded),
    model_bytes: ofModels(({ bytes }) => bytes),
    breaker_state: ofModels(({ breaker }) => BREAKER_VALUES[breaker]),
    in_flight: { '': inFlight },
    web_sockets: { '': numWebSockets },
    sessions: { '': numSessions },
    event_loop_lag_seconds: { '': lagSeconds },
    processes: { '': 1 },
    build_info: { [labelsOf({ version: operantVersion(), node: process.versions.node })]: 1 },
  };
}
