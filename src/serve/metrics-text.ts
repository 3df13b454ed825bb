/** Samples of one process or of several, as text that Prometheus reads (exposition format 0.0.4). */
import {
  METRIC_PREFIX,
  type MetricDeclaration,
  type MetricName,
  metricDeclarations,
} from './metric-declarations.ts';

export interface Histogram {
  /** Of each bucket alone, not summed. */
  readonly counts: readonly number[];
  readonly sum: number;
  readonly count: number;
}

/** By metric, then by its labels as text: what `labelsOf` gives. Plain, so that it travels between processes. */
export type Samples = Readonly<Partial<Record<MetricName, Readonly<Record<string, number | Histogram>>>>>;

const escapeLabel = (value: string) =>
  value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');

export const labelsOf = (labels: Readonly<Record<string, string | number>>): string =>
  Object.entries(labels)
    .map(([name, value]) => `${name}="${escapeLabel(String(value))}"`)
    .join(',');

/** One line a sample, under the help and type of its metric. */
export function metricsText(samples: Samples): string {
  const lines = metricDeclarations().flatMap(([name, { type, help, buckets = [] }]) => {
    const full = METRIC_PREFIX + name;
    const values = Object.entries(samples[name] ?? {}).flatMap(([labels, value]) =>
      typeof value === 'number'
        ? [`${full}${inBraces(labels)} ${value}`]
        : histogramLines(full, labels, buckets, value),
    );
    return [`# HELP ${full} ${help}`, `# TYPE ${full} ${type}`, ...values];
  });
  return `${lines.join('\n')}\n`;
}

const inBraces = (labels: string) => (labels === '' ? '' : `{${labels}}`);

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
  return [
    ...buckets,
    `${name}_bucket{${between}le="+Inf"} ${count}`,
    `${name}_sum${inBraces(labels)} ${sum}`,
    `${name}_count${inBraces(labels)} ${count}`,
  ];
}

/** Of several processes: sums, and for some gauges the largest. */
export function mergeSamples(all: readonly Samples[]): Samples {
  const merged: Partial<Record<MetricName, Record<string, number | Histogram>>> = {};
  for (const [name, declaration] of metricDeclarations()) {
    const family: Record<string, number | Histogram> = {};
    for (const samples of all) {
      for (const [labels, value] of Object.entries(samples[name] ?? {}))
        family[labels] = labels in family ? merge(declaration, family[labels], value) : value;
    }
    merged[name] = family;
  }
  return merged;
}

function merge(
  { across }: MetricDeclaration,
  a: number | Histogram,
  b: number | Histogram,
): number | Histogram {
  if (typeof a === 'number' || typeof b === 'number')
    return across === 'max' ? Math.max(Number(a), Number(b)) : Number(a) + Number(b);
  return { counts: a.counts.map((n, k) => n + b.counts[k]), sum: a.sum + b.sum, count: a.count + b.count };
}
