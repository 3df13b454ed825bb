/** A Grafana dashboard (classic JSON, which every Grafana from 8 on imports), written from the declarations of the metrics, so that the two cannot drift. */
import {
  METRIC_PREFIX,
  type MetricDeclaration,
  type MetricName,
  metricDeclarations,
} from './metric-declarations.ts';

const SCHEMA_VERSION = 39;
const PANEL = { width: 12, height: 8 };
const QUANTILES = [0.5, 0.99];
/** What is not shown as a line over time: these say something of other lines. */
const HIDDEN: readonly MetricName[] = ['build_info'];

export function dashboard(): object {
  const shown = metricDeclarations().filter(([name]) => !HIDDEN.includes(name));
  return {
    title: 'Operant policy server',
    uid: 'operant-serve',
    schemaVersion: SCHEMA_VERSION,
    tags: ['operant'],
    time: { from: 'now-1h', to: 'now' },
    refresh: '10s',
    templating: {
      list: [{ name: 'DS_PROMETHEUS', type: 'datasource', query: 'prometheus', label: 'Data source' }],
    },
    panels: shown.map(([name, declaration], k) => panel(name, declaration, k)),
  };
}

function panel(name: MetricName, declaration: MetricDeclaration, k: number): object {
  return {
    id: k + 1,
    type: 'timeseries',
    title: name.replace(/_(total|seconds)$/, '').replaceAll('_', ' '),
    description: declaration.help,
    datasource: { type: 'prometheus', uid: '$' + '{DS_PROMETHEUS}' },
    gridPos: {
      x: (k % 2) * PANEL.width,
      y: Math.floor(k / 2) * PANEL.height,
      w: PANEL.width,
      h: PANEL.height,
    },
    fieldConfig: { defaults: { unit: unitOf(name, declaration), min: 0 }, overrides: [] },
    targets: queriesOf(name, declaration).map(({ expr, legend }, i) => ({
      refId: String.fromCharCode(65 + i),
      expr,
      legendFormat: legend,
    })),
  };
}

function unitOf(name: MetricName, { type }: MetricDeclaration): string {
  if (name.includes('seconds')) return 's';
  return type === 'counter' ? 'reqps' : 'short';
}

/** Every metric that a query names is declared. */
export function queriesOf(
  name: MetricName,
  { type, labels }: MetricDeclaration,
): readonly { readonly expr: string; readonly legend: string }[] {
  const full = METRIC_PREFIX + name;
  const by = labels.join(', ');
  const legend = labels.map((label) => `{{${label}}}`).join(' ');
  if (type === 'histogram') {
    const groups = ['le', ...labels].join(', ');
    return QUANTILES.map((quantile) => ({
      expr: `histogram_quantile(${quantile}, sum by (${groups}) (rate(${full}_bucket[$__rate_interval])))`,
      legend: `p${quantile * 100} ${legend}`.trim(),
    }));
  }
  const value = type === 'counter' ? `rate(${full}[$__rate_interval])` : full;
  const sum = labels.length > 0 ? `sum by (${by}) (${value})` : `sum(${value})`;
  return [{ expr: type === 'gauge' && labels.length > 0 ? full : sum, legend }];
}
