/** `npm run docs`: writes what docs/ and the README take from declarations. `reference()` gives it, for the test that holds the pages to it. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { algorithms } from '../algorithms/registry.ts';
import { builderName } from '../src/config/builder-name.ts';
import { commonOptions } from '../src/config/common-options.ts';
import { optionsDocument } from '../src/config/options-document.ts';
import { SHARED_METRICS } from '../src/metrics/metric-keys.ts';
import { metricsTable } from '../src/metrics/metrics-document.ts';
import { apiReference } from './api.ts';

const pathOf = (name: string) => new URL(`../${name}`, import.meta.url);

/** The pages by path, as they should be. */
export async function reference(): Promise<
  Readonly<Record<'docs/options.md' | 'docs/metrics.md' | 'docs/api.md' | 'README.md', string>>
> {
  const definitions = await Promise.all(Object.values(algorithms).map((find) => find()));
  const options = Object.fromEntries(definitions.map(({ name, options }) => [name, options]));
  const metrics = [
    metricsTable(SHARED_METRICS),
    ...definitions.flatMap(({ name, metrics }) => [`## ${name}`, metricsTable(metrics)]),
  ];
  return {
    'docs/options.md': optionsDocument(commonOptions, options),
    'docs/metrics.md': declared('docs/metrics.md', metrics.join('\n\n')),
    'docs/api.md': apiReference(),
    'README.md': declared('README.md', algorithmsTable(definitions)),
  };
}

function algorithmsTable(definitions: readonly { readonly name: string; readonly title: string }[]): string {
  const rows = definitions.map(({ name, title }) => {
    const page = `algorithms/${name}/README.md`;
    const what = existsSync(pathOf(page)) ? `[${title}](${page})` : title;
    return `| \`${name}\` | \`${builderName(name)}\` | ${what} |`;
  });
  return ['| `--algo` | In code | |', '|---|---|---|', ...rows].join('\n');
}

/** The page with what stands between its marks replaced. */
function declared(path: string, text: string): string {
  const page = readFileSync(pathOf(path), 'utf8');
  const [before, after] = ['<!-- declared -->', '<!-- /declared -->'].map((mark) => page.indexOf(mark));
  return `${page.slice(0, before)}<!-- declared -->\n\n${text}\n\n${page.slice(after)}`;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  for (const [path, text] of Object.entries(await reference())) writeFileSync(pathOf(path), text);
}
