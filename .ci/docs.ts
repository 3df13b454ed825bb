/** `npm run docs`: writes what docs/ takes from declarations. `reference()` gives it, for the test that holds the pages to it. */
import { readFileSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { algorithms } from '../algorithms/registry.ts';
import { commonOptions } from '../src/config/common-options.ts';
import { optionsDocument } from '../src/config/options-document.ts';
import { SHARED_METRICS } from '../src/metrics/metric-keys.ts';
import { metricsTable } from '../src/metrics/metrics-document.ts';

const pathOf = (name: string) => new URL(`../docs/${name}`, import.meta.url);

/** The pages by name, as they should be. */
export async function reference(): Promise<Readonly<Record<'options.md' | 'metrics.md', string>>> {
  const definitions = await Promise.all(Object.values(algorithms).map((find) => find()));
  const options = Object.fromEntries(definitions.map(({ name, options }) => [name, options]));
  const metrics = [
    metricsTable(SHARED_METRICS),
    ...definitions.flatMap(({ name, metrics }) => [`## ${name}`, metricsTable(metrics)]),
  ];
  return {
    'options.md': optionsDocument(commonOptions, options),
    'metrics.md': betweenMarks(readFileSync(pathOf('metrics.md'), 'utf8'), metrics.join('\n\n')),
  };
}

function betweenMarks(page: string, text: string): string {
  const [before, after] = ['<!-- declared -->', '<!-- /declared -->'].map((mark) => page.indexOf(mark));
  return `${page.slice(0, before)}<!-- declared -->\n\n${text}\n\n${page.slice(after)}`;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  for (const [name, text] of Object.entries(await reference())) writeFileSync(pathOf(name), text);
}
