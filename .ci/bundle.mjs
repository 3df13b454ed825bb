/**
 * Bundles the sources into few files: starting a process or a worker thread costs more by the module than by the line.
 *
 * What is loaded by its path or URL (bins, the public interface, the worker's entry, environments, gradients) keeps its place in
 * dist/, and is a facade of a line or two. The code itself lies in dist/chunks/, every module in exactly one chunk: two instances
 * of a registry or an error class would not know each other.
 *
 *     chunks/rollout-worker.js   what a worker thread loads; the main thread shares it
 *     chunks/operant.js          the public interface
 *     chunks/training.js         what training needs besides: algorithms, the driver, the command
 *
 * and one for each module that is imported on use. zod and seedrandom are bundled, too, since they are some hundred files; their
 * licences lie beside the chunks.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { rolldown } from 'rolldown';

const BUNDLED_PACKAGES = /^(zod|seedrandom)(\/|$)/;
const isExternal = (id) => /^[^./]/.test(id) && !BUNDLED_PACKAGES.test(id);

/** Writes the bundle of the sources in `root` to `root`/dist. */
export async function bundle(root) {
  const environments = readdirSync(join(root, 'envs')).map((name) => `envs/${name}`);
  const inWorkers = ['src/rollout/worker.ts', 'algorithms/ppo/gradient.ts', ...environments].filter(
    (path) => path !== 'envs/index.ts',
  );
  const inTraining = ['src/run/start-run.ts', 'algorithms/ppo/ppo.ts'];
  const entries = ['src/cli/train.ts', 'src/cli/main.ts', 'src/index.ts', ...inWorkers];
  entries.push('src/learner/tensorflow/native-binding.ts'); // started as a process by `install-tensorflow`

  const bundled = await rolldown({
    input: Object.fromEntries(entries.map((path) => [path.slice(0, -3), join(root, path)])),
    cwd: root,
    platform: 'node',
    external: isExternal,
    transform: { define: { 'import.meta.url': 'moduleUrl' } },
    plugins: [keepModuleUrls(root)],
    checks: { ineffectiveDynamicImport: false },
  });
  // An environment stays in its own file: only the one that is asked for is loaded.
  const shared = await staticImports(root, inWorkers);
  for (const path of environments) shared.delete(join(root, path));
  const groups = [
    { name: 'rollout-worker', modules: shared },
    { name: 'operant', modules: await staticImports(root, ['src/index.ts']) },
    { name: 'thread-pool', modules: await staticImports(root, ['src/rollout/thread-pool.ts']) },
    { name: 'train-command', modules: await staticImports(root, ['src/cli/train-command.ts']) },
    { name: 'training', modules: await staticImports(root, inTraining) },
  ];
  const { output } = await bundled.write({
    dir: join(root, 'dist'),
    sourcemap: true,
    entryFileNames: '[name].js',
    chunkFileNames: 'chunks/[name].js',
    codeSplitting: {
      groups: groups.map(({ name, modules }, k) => ({
        name,
        test: (id) => modules.has(id),
        priority: 9 - k,
      })),
    },
  });
  const ids = output.flatMap((chunk) => (chunk.type === 'chunk' ? chunk.moduleIds : []));
  writeFileSync(join(root, 'dist/chunks/LICENSES.txt'), licencesOf(ids));
}

/** The files that some modules import, directly or not, without those imported on use. */
async function staticImports(root, paths) {
  const ids = new Set();
  const graph = await rolldown({
    input: paths.map((path) => join(root, path)),
    cwd: root,
    platform: 'node',
    external: isExternal,
    plugins: [
      {
        name: 'collect-modules',
        resolveDynamicImport: () => ({ id: 'imported-on-use', external: true }),
        transform: (_code, id) => void ids.add(id),
      },
    ],
  });
  await graph.generate();
  return ids;
}

/**
 * Gives every module the URL that it would have without bundling, which others are found relative to. Chunks lie one folder below
 * dist/, and entries are facades, so a module always is one folder away from where it was.
 */
function keepModuleUrls(root) {
  return {
    name: 'keep-module-urls',
    transform(code, id) {
      if (!id.startsWith(root) || id.includes('node_modules') || !code.includes('import.meta.url'))
        return null;
      const path = relative(root, id).replaceAll('\\', '/').replace(/\.ts$/, '.js');
      const prefix = `const moduleUrl = new URL('../${path}', import.meta['url']).href;`;
      const lines = `AAAA${';AACA'.repeat(code.split('\n').length - 1)}`; // line n of the result is line n of the source
      const map = { version: 3, sources: [id], sourcesContent: [code], names: [], mappings: lines };
      return { code: prefix + code, map, moduleType: 'ts' };
    },
  };
}

function licencesOf(ids) {
  const folders = ids.flatMap((id) => /^.*\/node_modules\/[^/]+/.exec(id.replaceAll('\\', '/'))?.[0] ?? []);
  const texts = [...new Set(folders)].sort().map((folder) => {
    const { name, version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    const names = readdirSync(folder);
    // seedrandom states its licence in its README
    const file =
      names.find((entry) => /^licen[cs]e/i.test(entry)) ?? names.find((entry) => /^readme/i.test(entry));
    return `${name} ${version}\n\n${readFileSync(join(folder, file), 'utf8').trim()}\n`;
  });
  return texts.join(`\n${'-'.repeat(80)}\n\n`);
}
