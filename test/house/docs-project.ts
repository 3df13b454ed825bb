/** The pages that people read, and a project in which what they say can be done. */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { atEndOfFile } from '../end-of-file.ts';
import { temporaryProject } from '../package/packed-project.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
/** Written from declarations, which are no programs. */
const GENERATED = ['api.md', 'options.md', 'metrics.md'];
export const PAGES: readonly string[] = [
  'README.md',
  ...readdirSync(join(root, 'docs'))
    .filter((name) => name.endsWith('.md') && !GENERATED.includes(name))
    .map((name) => `docs/${name}`),
];

/** A folder in which `import 'operant'` means the sources; it goes when the file's tests are over. */
export function docsProject(): string {
  const folder = temporaryProject('snippets');
  atEndOfFile(() => rmSync(folder, { recursive: true, force: true }));
  const entries = {
    '.': 'index.ts',
    './policy': 'exports/policy.ts',
    './policy/recurrent': 'exports/recurrent-policy.ts',
    './algorithm': 'exports/algorithm.ts',
    './gradient': 'exports/gradient.ts',
    './tensorflow': 'exports/tensorflow.ts',
  };
  const home = join(folder, 'node_modules/operant');
  mkdirSync(home, { recursive: true });
  const exports = Object.fromEntries(
    Object.entries(entries).map(([entry, path]) => {
      const file = path.replace('/', '-');
      writeFileSync(join(home, file), `export * from '${root}src/${path}';\n`);
      return [entry, `./${file}`];
    }),
  );
  writeFileSync(join(home, 'package.json'), JSON.stringify({ name: 'operant', type: 'module', exports }));
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  return folder;
}
