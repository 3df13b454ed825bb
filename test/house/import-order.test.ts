/** Imports go one way, types included: folders of src/ only from those before them in the order, files never round in a ring. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path/posix';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

/** From the ground up; ARCHITECTURE.md says what each is. */
const ORDER = [
  ...['errors.ts', 'json.ts', 'random', 'memory', 'statistics', 'machine', 'files', 'modules'],
  ...['env', 'weights', 'policy', 'simd', 'threads', 'acting', 'experience', 'targets', 'learner', 'rollout'],
  ...[
    'config',
    'metrics',
    'checkpoint',
    'replay',
    'cluster',
    'algorithm',
    'portable',
    'export',
    'serve',
    'run',
    'define',
    'tune',
  ],
  ...['exports', 'cli', 'index.ts'],
];
/** `from '...'`, `import('...')` and `import '...'`, of relative paths. */
const IMPORT = /\b(?:from|import)\s*\(?\s*(?:\/\*[^*]*\*\/\s*)?'(\.[^']+)'/g;
const root = fileURLToPath(new URL('../..', import.meta.url));

interface Import {
  readonly from: string;
  readonly to: string;
}

function importsIn(file: string, source: string): Import[] {
  return [...source.matchAll(IMPORT)].map(([, path]) => ({
    from: file,
    to: normalize(join(dirname(file), path)),
  }));
}

const folderOf = (path: string) => path.split('/')[1];

/** Imports of another folder of src/ that does not come earlier. */
function upward(imports: readonly Import[]): string[] {
  return imports
    .filter(({ from, to }) => to.startsWith('src/') && folderOf(from) !== folderOf(to))
    .filter(({ from, to }) => ORDER.indexOf(folderOf(to)) >= ORDER.indexOf(folderOf(from)))
    .map(({ from, to }) => `${from} -> ${to}`);
}

const files = readdirSync(join(root, 'src'), { recursive: true })
  .map((path) => `src/${String(path).replaceAll('\\', '/')}`)
  .filter((path) => path.endsWith('.ts') && !path.startsWith('src/simd/assembly/'));

test('every folder has its place in the order, and no other is named', () => {
  expect([...new Set(files.map(folderOf))].sort()).toEqual([...ORDER].sort());
});

test('no folder imports one that does not come before it', () => {
  const imports = files.flatMap((file) => importsIn(file, readFileSync(join(root, file), 'utf8')));
  expect(imports.length).toBeGreaterThan(1000);
  expect(upward(imports)).toEqual([]);
});

test.each([
  "import type { RolloutViews } from '../experience/layout.ts';",
  "export { openRollout } from '../experience/layout.ts';",
  "export type { RolloutViews } from '../experience/layout.ts';",
  "import '../experience/layout.ts';",
  "const { openRollout } = await import('../experience/layout.ts');",
  "const module = import(/* later */ '../experience/layout.ts');",
  "type Views = import('../experience/layout.ts').RolloutViews;",
])('and this would be found in src/env: %s', (source) => {
  expect(upward(importsIn('src/env/env.ts', source))).toEqual(['src/env/env.ts -> src/experience/layout.ts']);
});

/** Of imports at the top of a file: what is imported on use, to begin sooner, may look back. */
function ring(imports: readonly Import[]): readonly string[] | null {
  const next = new Map<string, string[]>();
  for (const { from, to } of imports) next.set(from, [...(next.get(from) ?? []), to]);
  const finished = new Set<string>();
  const path: string[] = [];
  const visit = (file: string): readonly string[] | null => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    if (finished.has(file)) return null;
    path.push(file);
    for (const to of next.get(file) ?? []) {
      const found = visit(to);
      if (found !== null) return found;
    }
    path.pop();
    finished.add(file);
    return null;
  };
  for (const file of next.keys()) {
    const found = visit(file);
    if (found !== null) return found;
  }
  return null;
}

const ON_USE = /\bimport\s*\([^)]*\)/g;

test('no files import each other, types included', () => {
  const others = ['algorithms', 'envs'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true }).map(
      (path) => `${folder}/${String(path).replaceAll('\\', '/')}`,
    ),
  );
  const all = [...files, ...others.filter((path) => path.endsWith('.ts'))];
  const imports = all.flatMap((file) =>
    importsIn(file, readFileSync(join(root, file), 'utf8').replace(ON_USE, '')),
  );
  expect(ring(imports)).toBeNull();
});

test('and a ring would be found', () => {
  const imports = ['ab', 'bc', 'cd', 'db'].map(([from, to]) => ({ from, to }));
  expect(ring(imports)).toEqual(['b', 'c', 'd', 'b']);
});
