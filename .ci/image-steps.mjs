/**
 * Executes the steps of Dockerfiles where there is no engine: `node .ci/image-steps.mjs [--cuda] FOLDER DOCKERFILE...`. Each stage is a folder that stands for the root of its image; this machine is the
 * base. Absolute paths of the image become paths in that folder, and that is the only change of a command. What is left out is said: packages of Debian, owners that only
 * root can give, CUDA's libraries (3 GB) unless `--cuda` asks for them; a GPU is not used. FOLDER is made, and removed at the end: one that is there already is refused. What an image is for is then tried, as its user: its entry point answers, a run trains, TensorFlow is found where it was fetched, Ray is the version that it says.
 *
 * By hand, not in the check: it takes some three minutes of a core, and the check has none left of its 45. What can be found by reading is in it (test/package/dockerfiles.test.ts). At the lowest priority beside other work it got a second of a core in eleven minutes (load 17).
 */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { assignments, parseDockerfile } from './dockerfile.mjs';

const words = process.argv.slice(2);
const isCudaFetched = words[0] === '--cuda';
const [scratch, ...files] = isCudaFetched ? words.slice(1) : words;
/** Commands of a step that are not executed, and why. */
const LEFT_OUT = [
  [/^(apt-get |rm -rf \/var\/lib\/apt)/, "packages of Debian are this machine's own"],
  ...(isCudaFetched ? [] : [[/install-tensorflow --gpu|^chmod .*tensorflow/, "CUDA's libraries are 3 GB"]]),
];
/** Folders of an image that are not this machine's. */
const IMAGE_PATHS = /(?<![\w.:/-])\/(?=(?:opt|project|runs|usr\/local)\b)/g;

if (scratch === undefined || files.length === 0 || existsSync(scratch))
  throw new Error('Expected a folder that is not there yet, and Dockerfiles.');
/** Stages by what they say and stand on: one that two files have is built and tried once. */
const known = new Map();

/** @returns how many of its targets' commands were tried. */
function buildAndTry(file) {
  const { args, stages } = parseDockerfile(readFileSync(file, 'utf8'));
  const built = new Map();
  let numTried = 0;
  for (const stage of stages) {
    const said = JSON.stringify([stage, built.get(stage.from)?.said]);
    const isNew = !known.has(said);
    if (isNew) known.set(said, { ...build(stage, args, built, join(scratch, file, stage.name)), said });
    const image = known.get(said);
    built.set(stage.name, image);
    if (!isNew || image.command === null) continue;
    tryImage(file, image);
    numTried += 1;
  }
  return numTried;
}

/** Of an image that stands on none. */
const BARE = { folder: '/', user: 0, entry: null, command: null };

function build({ from, name, steps }, args, built, root) {
  const base = built.get(from);
  const image = { ...BARE, ...base, name, root, env: { ...base?.env }, leftOut: [] };
  mkdirSync(dirname(root), { recursive: true });
  if (base === undefined) mkdirSync(join(root, 'usr/local/bin'), { recursive: true });
  else run('cp', ['-al', base.root, root]);
  const variables = { ...args };
  for (const step of steps) take(image, built, variables, step);
  return image;
}

function take(image, built, variables, { word, rest }) {
  if (word === 'ARG') Object.assign(variables, assignments(rest));
  else if (word === 'ENV') Object.assign(image.env, inImage(image, assignments(rest)));
  else if (word === 'WORKDIR') {
    image.folder = rest;
    mkdirSync(join(image.root, rest), { recursive: true });
  } else if (word === 'USER') image.user = Number(rest);
  else if (word === 'ENTRYPOINT') image.entry = JSON.parse(rest);
  else if (word === 'CMD') image.command = JSON.parse(rest);
  else if (word === 'COPY') copy(image, built, rest);
  else if (word === 'RUN') for (const each of rest.split(' && ')) execute(image, variables, each.trim());
}

const inImage = ({ root }, values) =>
  Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, value.replace(IMAGE_PATHS, `${root}/`)]),
  );

function environmentOf(image, variables = {}) {
  const path = `${join(image.root, 'usr/local/bin')}:${process.env.PATH}`;
  const own = Object.entries(process.env).filter(
    ([name]) => !/^(npm_(?!config)|OPERANT_|NODE_(ENV|OPTIONS)$)/.test(name),
  );
  return { ...Object.fromEntries(own), ...variables, ...image.env, PATH: path };
}

function execute(image, variables, command) {
  const isRoot = process.getuid() === 0;
  const why =
    LEFT_OUT.find(([pattern]) => pattern.test(command))?.[1] ??
    (!isRoot && /^(chown|install -d -o)/.test(command) ? 'wants root' : null);
  if (why !== null) {
    image.leftOut.push(command);
    say(`[${image.name}] left out, ${why}: ${command}`);
    return;
  }
  say(`[${image.name}] ${command}`);
  const options = { cwd: join(image.root, image.folder), env: environmentOf(image, variables) };
  run('sh', ['-c', command.replace(IMAGE_PATHS, `${image.root}/`)], options);
}

/** Of the context: what is under version control, without what `.dockerignore` names. */
function contextFiles() {
  const ignored = readFileSync('.dockerignore', 'utf8').trim().split('\n');
  const listed = run('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard']).split('\0');
  return listed.filter((path) => path !== '' && !ignored.includes(path.split('/')[0]) && existsSync(path));
}

function copy(image, built, rest) {
  const words = rest.split(/ +/);
  const from = /^--from=(.+)$/.exec(words[0])?.[1];
  const [target, ...sources] = words.slice(from === undefined ? 0 : 1).reverse();
  const to = join(target.startsWith('/') ? image.root : join(image.root, image.folder), target);
  for (const source of sources.reverse()) {
    if (from === undefined && source === '.') {
      for (const path of contextFiles()) put(path, join(to, path));
      continue;
    }
    const stage = built.get(from);
    const path = stage === undefined ? source : join(stage.root, source);
    if (!existsSync(path) && stage?.leftOut.length > 0) {
      say(`[${image.name}] left out, since it is not made here: COPY ${rest}`);
      continue;
    }
    const isFolder = statSync(path).isDirectory();
    put(path, !isFolder && (target.endsWith('/') || sources.length > 1) ? join(to, basename(path)) : to);
  }
}

function put(from, to) {
  if (!existsSync(from)) return; // tests that run beside us have files that come and go
  mkdirSync(dirname(to), { recursive: true });
  cpSync(from, to, { recursive: true, verbatimSymlinks: true });
}

/** That its entry point answers, and what it is for. */
function tryImage(file, image) {
  const env = environmentOf(image);
  // As the image's user: what a step makes may be its maker's alone.
  const who = process.getuid() === 0 && image.user > 0 ? { uid: image.user, gid: image.user } : {};
  const cwd = join(image.root, image.folder);
  const options = { cwd, env: { ...env, HOME: cwd }, ...who };
  const [program, ...words] = [...image.entry, ...image.command];
  run(program, words, options);
  say(`${file}, ${image.name}: ${[program, ...words].join(' ')}`);
  if (image.entry[0] === 'operant' && image.entry.length === 1) {
    const flags = [
      'train',
      '--env',
      'CartPole',
      '--stop-steps',
      '4096',
      '--out',
      `runs/${image.name}`,
      '--json',
    ];
    const said = run('operant', flags, options);
    if (!/"stopReason":"stopSteps"/.test(said)) throw new Error(`The image's run did not end:\n${said}`);
  }
  const library = image.env.OPERANT_TENSORFLOW_HOME;
  if (library !== undefined && existsSync(library)) {
    const said = run('operant', ['doctor'], options);
    if (!/^TensorFlow, native +\d/m.test(said)) throw new Error(`There is no TensorFlow in it:\n${said}`);
    say(`${file}, ${image.name}: ${/^TensorFlow, native.*/m.exec(said)[0]}`);
  }
  if (image.env.OPERANT_PYTHON !== undefined) {
    const ray = run(image.env.OPERANT_PYTHON, ['-c', 'import ray, numpy; print(ray.__version__)'], options);
    if (!readFileSync(file, 'utf8').includes(`RAY_VERSION=${ray.trim()}\n`))
      throw new Error(`${file} names another Ray than ${ray}`);
  }
}

function run(program, words, options = {}) {
  const { status, stdout, stderr, error } = spawnSync(program, words, {
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
    ...options,
  });
  if (status !== 0)
    throw new Error(`${program} ${words.join(' ')}: ${error?.message ?? `${stdout}\n${stderr}`}`);
  return stdout;
}

function say(line) {
  process.stdout.write(`${line}\n`);
}

const numTried = files.reduce((sum, file) => sum + buildAndTry(file), 0);
rmSync(scratch, { recursive: true });
say(`${numTried} commands of images answered`);
