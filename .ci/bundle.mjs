/**
 * Bundles the sources into few files: starting a process or a worker thread costs more by the module than by the line.
 *
 * What is loaded by its path or URL (bins, the public interface, the worker's entry, environments, gradients) keeps its place in
 * dist/, and is a facade of a line or two. The code itself lies in dist/chunks/, every module in exactly one chunk: two instances
 * of a registry or an error class would not know each other.
 *
 *     chunks/shared.js           what the next two have in common
 *     chunks/configuration.js    what has to be known before threads are started
 *     chunks/rollout-worker.js   what every worker thread loads
 *     chunks/python-envs.js, external-envs.js   what is loaded for an environment in Python, or one that connects
 *     chunks/objective.js, objective-gradients.js   what threads load to learn an objective (DQN, SAC, ...)
 *     chunks/thread-pool.js      Piscina, which starts threads
 *     chunks/ppo-options.js      what PPO declares
 *     chunks/off-policy-options.js, dqn-options.js, ...   what others declare besides, together and each
 *     chunks/training.js         PPO and the driver, loaded while threads start
 *     chunks/episodes.js         what the public interface has in common with the next
 *     chunks/off-policy.js, dqn.js, ...                   what others have besides, likewise
 *     chunks/operant.js          the rest of the public interface
 *
 * and one for each module that is imported on use. zod and seedrandom are bundled, too, since they are some hundred files; their
 * licences lie beside the chunks.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { rolldown } from 'rolldown';

const BUNDLED_PACKAGES = /^(zod|seedrandom)(\/|$)/;
const isExternal = (id) => /^[^./]/.test(id) && !BUNDLED_PACKAGES.test(id);

/** Names of the folders in algorithms/ that define one. */
function namesOfAlgorithms(root) {
  return readdirSync(join(root, 'algorithms')).filter((name) =>
    existsSync(join(root, 'algorithms', name, 'index.ts')),
  );
}

/** Algorithms whose workers take the gradient of a rollout; those of the others take an objective's. */
const WITH_ROLLOUTS = ['ppo', 'a2c'];
/** What few runs need, and worker threads are quicker without. */
const ON_USE = [
  { name: 'python-envs', paths: ['envs/python.ts'] },
  { name: 'external-envs', paths: ['envs/external.ts'] },
  { name: 'objective', paths: ['src/learner/simd/objective/participate.ts'] },
];

/** Writes the bundle of the sources in `root` to `root`/dist. */
export async function bundle(root) {
  const algorithms = namesOfAlgorithms(root);
  const environments = readdirSync(join(root, 'envs'))
    .filter((name) => name.endsWith('.ts'))
    .map((name) => `envs/${name}`);
  const gradients = algorithms
    .map((name) => `algorithms/${name}/gradient.ts`)
    .filter((path) => existsSync(join(root, path)));
  const inWorkers = [
    'src/rollout/worker.ts',
    'src/exports/gradient.ts',
    'src/threads/job-worker.ts',
    'src/learner/simd/objective/participate.ts',
    'src/algorithm/curiosity/gradient.ts',
    ...gradients,
    ...environments,
  ].filter((path) => path !== 'envs/index.ts');
  const entries = [
    'src/cli/train.ts',
    'src/cli/main.ts',
    'src/index.ts',
    'src/exports/algorithm.ts',
    'src/exports/tensorflow.ts',
    ...inWorkers,
  ];
  entries.push('src/learner/tensorflow/native-binding.ts'); // started as a process by `install-tensorflow`
  entries.push('src/cluster/host-process.ts'); // started as a process by hosts on Ray
  entries.push('src/tune/ray/trial-host.ts'); // likewise, for trials
  entries.push('src/serve/serve-worker.ts'); // likewise, by `serve --workers`

  const bundled = await rolldown({
    input: Object.fromEntries(entries.map((path) => [path.slice(0, -3), join(root, path)])),
    cwd: root,
    platform: 'node',
    external: isExternal,
    transform: { define: { 'import.meta.url': 'moduleUrl' } },
    plugins: [leaveOutCompilers(root), keepModuleUrls(root)],
    checks: { ineffectiveDynamicImport: false },
  });
  const groups = await chunkGroups(root, inWorkers, algorithms);
  const { output } = await bundled.write({
    dir: join(root, 'dist'),
    sourcemap: true,
    entryFileNames: '[name].js',
    chunkFileNames: 'chunks/[name].js',
    codeSplitting: {
      groups: groups.map(({ name, modules }, k) => ({
        name,
        test: (id) => modules.has(id),
        priority: groups.length - k,
      })),
    },
  });
  for (const { fileName } of output)
    if (fileName.endsWith('.map')) leaveOutSources(join(root, 'dist', fileName));
  const ids = output.flatMap((chunk) => (chunk.type === 'chunk' ? chunk.moduleIds : []));
  writeFileSync(join(root, 'dist/chunks/LICENSES.txt'), licencesOf(ids));
}

/** A map names our sources, which are in the package: it need not hold them again. */
function leaveOutSources(path) {
  const { sourcesContent, ...map } = JSON.parse(readFileSync(path, 'utf8'));
  const isForeign = (source) => source.includes('node_modules/');
  const kept = sourcesContent.map((text, k) => (isForeign(map.sources[k]) ? text : null));
  writeFileSync(path, JSON.stringify({ ...map, sourcesContent: kept }));
}

/** Which modules go into which chunk, in order of precedence. */
async function chunkGroups(root, inWorkers, algorithms) {
  const isObjective = (path) =>
    /^algorithms\/.*\/gradient\.ts$/.test(path) && !WITH_ROLLOUTS.some((name) => path.includes(`/${name}/`));
  const onUse = [...ON_USE, { name: 'objective-gradients', paths: inWorkers.filter(isObjective) }];
  const isOnUse = (path) => onUse.some(({ paths }) => paths.includes(path));
  const worker = await staticImports(
    root,
    inWorkers.filter((path) => !isOnUse(path)),
  );
  const besides = await Promise.all(
    onUse.map(async ({ name, paths }) => ({ name, modules: await staticImports(root, paths) })),
  );
  // An environment stays in its own file, with what only it needs: only the one that is asked for is loaded.
  const loaded = [worker, ...besides.map(({ modules }) => modules)];
  for (const ids of loaded) for (const id of ids) if (id.startsWith(join(root, 'envs/'))) ids.delete(id);
  const inThreads = new Set(loaded.flatMap((ids) => [...ids]));
  const configuration = await staticImports(root, [
    'src/cli/run-process.ts',
    'src/cli/train-command.ts',
    'src/define/define-algorithm.ts',
  ]);
  const perAlgorithm = (suffix, pathOf) =>
    Promise.all(
      algorithms.map(async (name) => ({
        name: name + suffix,
        modules: await staticImports(root, [pathOf(name)]),
      })),
    );
  const options = await perAlgorithm('-options', (name) => `algorithms/${name}/index.ts`);
  const loops = await perAlgorithm('', (name) => `algorithms/${name}/${name}.ts`);
  const library = await staticImports(root, ['src/index.ts']);
  const offPolicy = inSeveral('off-policy', loops);
  return [
    { name: 'shared', modules: new Set([...inThreads].filter((id) => configuration.has(id))) },
    { name: 'configuration', modules: configuration },
    { name: 'rollout-worker', modules: worker },
    ...besides,
    { name: 'thread-pool', modules: await staticImports(root, ['src/rollout/thread-pool.ts']) },
    ...options.filter(({ name }) => name === 'ppo-options'),
    inSeveral('off-policy-options', options),
    ...options,
    {
      name: 'training',
      modules: await staticImports(root, ['src/run/start-run.ts', 'algorithms/ppo/ppo.ts']),
    },
    { name: 'episodes', modules: new Set([...library].filter((id) => offPolicy.modules.has(id))) },
    offPolicy,
    ...loops,
    { name: 'operant', modules: library },
  ];
}

/** A chunk of the modules that are in at least two of these. */
function inSeveral(name, groups) {
  const all = groups.flatMap(({ modules }) => [...modules]);
  return { name, modules: new Set(all.filter((id, k) => all.indexOf(id) !== k)) };
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
 * The kernels are in the package, and what compiles them in a clone is not: a bundler would look for the compiler in the projects of
 * those who use the package.
 */
function leaveOutCompilers(root) {
  const compilers = new Set(['build.ts', 'build-native.ts'].map((name) => join(root, 'src/simd', name)));
  return {
    name: 'leave-out-compilers',
    load: (id) => (compilers.has(id) ? { code: 'export {};', moduleType: 'js' } : null),
  };
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
    const texts = [readFileSync(join(folder, file), 'utf8').trim(), ...noticesIn(folder, ids)];
    return `${name} ${version}\n\n${texts.join('\n\n')}\n`;
  });
  return texts.join(`\n${'-'.repeat(80)}\n\n`);
}

/** What modules of a package begin with that others hold a copyright in: minifying leaves it out. */
function noticesIn(folder, ids) {
  return ids
    .filter((id) => id.replaceAll('\\', '/').startsWith(`${folder}/`))
    .map((id) =>
      /^(\s*\/\/.*\n|\s*\n)*/
        .exec(readFileSync(id, 'utf8'))[0]
        .replaceAll(/^\/\/ ?/gm, '')
        .trim(),
    )
    .filter((text) => /copyright/i.test(text));
}
