/** Every metric of the server. The text for Prometheus, the dashboard and the sums over processes come from here. Units are base units. */

export type MetricType = 'counter' | 'gauge' | 'histogram';

export interface MetricDeclaration {
  readonly type: MetricType;
  readonly help: string;
  readonly labels: readonly string[];
  /** Upper bounds, of a histogram. */
  readonly buckets?: readonly number[];
  /** Of several processes: what a gauge of all of them is. Counters and histograms are sums. */
  readonly across?: 'sum' | 'max';
}

const SECONDS = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1,
] as const;
const ROWS = [1, 2, 4, 8, 16, 32, 64, 128, 256] as const;
const MODEL = ['model', 'version'] as const;

const counter = (help: string, labels: readonly string[]) => ({ type: 'counter', help, labels }) as const;
const gauge = (across: 'sum' | 'max', help: string, labels: readonly string[] = []) =>
  ({ type: 'gauge', help, labels, across }) as const;
const histogram = (help: string, buckets: readonly number[], labels: readonly string[] = []) =>
  ({ type: 'histogram', help, labels, buckets }) as const;

export const SERVE_METRICS = {
  requests_total: counter('Requests answered, by HTTP status; frames of a WebSocket by the same.', ['code']),
  rejections_total: counter('Requests refused before a model was asked.', ['reason']),
  reloads_total: counter('Versions loaded because a pointer moved.', ['result']),
  request_duration_seconds: histogram('From the headers of a request to its answer.', SECONDS),
  queue_wait_seconds: histogram('Time in the queue.', SECONDS, [...MODEL, 'priority']),
  batch_size: histogram('Rows that went through a model together.', ROWS, MODEL),
  model_seconds: histogram('Time in a model, a batch.', SECONDS, MODEL),
  queue_depth: gauge('sum', 'Requests that wait.', [...MODEL, 'priority']),
  model_loaded: gauge('max', 'Versions in memory.', [...MODEL, 'default']),
  model_bytes: gauge('sum', 'Memory that a version holds, by its arrays.', MODEL),
  model_load_seconds: gauge('max', 'Time that loading and the first batch took.', MODEL),
  breaker_state: gauge('max', '0 = closed, 1 = one batch is tried, 2 = open.', MODEL),
  in_flight: gauge('sum', 'Requests that have no answer yet.'),
  web_sockets: gauge('sum', 'WebSocket connections.'),
  sessions: gauge('sum', 'Sessions whose state a recurrent policy keeps.'),
  event_loop_lag_seconds: gauge('max', '99th percentile of how late timers ran since the last look.'),
  processes: gauge('sum', 'Processes that answer.'),
  build_info: gauge('max', 'Versions of the program.', ['version', 'node']),
} satisfies Readonly<Record<string, MetricDeclaration>>;

export type MetricName = keyof typeof SERVE_METRICS;

export const METRIC_PREFIX = 'operant_serve_';

export function metricDeclarations(): readonly (readonly [MetricName, MetricDeclaration])[] {
  return Object.entries(SERVE_METRICS) as unknown as readonly (readonly [MetricName, MetricDeclaration])[];
}
