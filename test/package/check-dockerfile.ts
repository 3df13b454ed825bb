/** What would not work in a Dockerfile's steps, found by reading: no engine, no network. Knows the commands that ours use; the steps themselves are executed by `.ci/image-steps.mjs`, by hand. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Script } from 'node:vm';

interface Step {
  readonly word: string;
  readonly rest: string;
}

interface Dockerfile {
  readonly args: Readonly<Record<string, string>>;
  readonly stages: readonly {
    readonly from: string;
    readonly name: string;
    readonly steps: readonly Step[];
  }[];
}

const root = fileURLToPath(new URL('../..', import.meta.url));
const { parseDockerfile, assignments } = (await import(
  pathToFileURL(join(root, '.ci/dockerfile.mjs')).href
)) as {
  parseDockerfile(text: string): Dockerfile;
  assignments(rest: string): Record<string, string>;
};

export { parseDockerfile };

/** What an image has by then. */
interface Image {
  /** Absolute paths; what lies below one that a command has made is not known, but for what is built from our sources. */
  readonly paths: Set<string>;
  /** Of these, what only root may look into. */
  readonly closed: Set<string>;
  readonly programs: Set<string>;
  readonly packages: Set<string>;
  readonly variables: Record<string, string>;
  folder: string;
}

/** Of Debian and Node's image. */
const BASE = 'apt-get chmod chown install ln mkdir node npm rm sh'.split(' ');
const MANIFESTS = ['package.json', 'package-lock.json'];
/** Packages of Debian, and the programs that they bring. */
const DEBIAN: Readonly<Record<string, readonly string[]>> = {
  'g++': ['g++'],
  python3: ['python3'],
  'python3-pip': [],
  'python3-venv': [],
  wget: ['wget'],
};
/** What a command needs besides its program. */
const NEEDS: readonly (readonly [RegExp, readonly string[]])[] = [
  [/^python3 -m venv /, ['python3-venv']],
  [/ install-tensorflow /, ['python3-pip', 'g++']],
];

export interface Checked {
  readonly problems: readonly string[];
  /** Words behind `operant` that an image is started with, or that a step runs. */
  readonly commands: readonly (readonly string[])[];
}

export function checkDockerfile(text: string): Checked {
  const problems: string[] = [];
  const commands: (readonly string[])[] = [];
  const images = new Map<string, Image>();
  const { args, stages } = parseDockerfile(text);
  for (const { from, name, steps } of stages) {
    const base = images.get(from);
    if (base === undefined && !/^\$\{NODE_IMAGE\}$/.test(from)) problems.push(`FROM ${from}: no such stage`);
    const image = inherit(base, args);
    images.set(name, image);
    let [entry, command]: readonly string[][] = [[], []];
    for (const { word, rest } of steps) {
      const say = (what: string) => void problems.push(`${name}, ${word} ${rest.slice(0, 60)}: ${what}`);
      if (word === 'ENTRYPOINT') entry = wordsOf(rest, say);
      else if (word === 'CMD') command = wordsOf(rest, say);
      else step(image, images, { word, rest }, say, commands);
    }
    const [program, ...words] = [...entry, ...command];
    if (program !== undefined && !image.programs.has(program))
      problems.push(`${name} starts ${program}, which it does not have`);
    if (program === 'operant') commands.push(words);
  }
  return { problems, commands };
}

function inherit(base: Image | undefined, args: Readonly<Record<string, string>>): Image {
  return {
    paths: new Set(base?.paths ?? ['/usr/local/bin', '/']),
    closed: new Set(base?.closed),
    programs: new Set(base?.programs ?? BASE),
    packages: new Set(base?.packages),
    variables: { ...args, ...base?.variables },
    folder: base?.folder ?? '/',
  };
}

type Say = (what: string) => void;

function step(
  image: Image,
  images: ReadonlyMap<string, Image>,
  { word, rest }: Step,
  say: Say,
  commands: (readonly string[])[],
): void {
  if (word === 'ARG' || word === 'ENV') Object.assign(image.variables, assignments(rest));
  else if (word === 'WORKDIR') {
    image.folder = rest;
    add(image, rest);
  } else if (word === 'COPY') copy(image, images, rest, say);
  else if (word === 'HEALTHCHECK') healthCheck(image, rest, say);
  else if (word === 'USER' || word === 'EXPOSE') {
    if (!/^\d+$/.test(rest)) say('expected a number');
  } else if (word === 'RUN') {
    const { status, stderr } = spawnSync('sh', ['-n', '-c', rest], { encoding: 'utf8' });
    if (status !== 0) say(stderr.trim());
    for (const each of rest.split(' && ')) execute(image, each.trim(), say, commands);
  }
}

/** A list in JSON; a shell would not pass signals on. */
function wordsOf(rest: string, say: Say): string[] {
  try {
    return JSON.parse(rest) as string[];
  } catch (error) {
    say(`expected a list of words in JSON (${error})`);
    return [];
  }
}

function healthCheck({ programs }: Image, rest: string, say: Say): void {
  const [program, flag, code] = wordsOf(rest.replace(/^.*?\bCMD /, ''), say);
  if (!programs.has(program)) say(`there is no ${program}`);
  if (flag === '-e') new Script(code); // throws where it cannot be read
}

/** With the folders that it lies in. */
function add({ paths, folder }: Image, path: string): void {
  for (let at = resolve(folder, path); at !== '/'; at = dirname(at)) paths.add(at);
}

/** Whether a path is there, or below what a command has made. */
function has({ paths, folder }: Image, path: string): boolean {
  const full = resolve(folder, path);
  if (paths.has(full)) return true;
  const [, source] = /^\/opt\/operant\/dist\/(.+)\.js$/.exec(full) ?? [];
  if (source !== undefined) return paths.has('/opt/operant/dist') && existsSync(join(root, `${source}.ts`));
  return false;
}

const isIgnored = (path: string) =>
  readFileSync(join(root, '.dockerignore'), 'utf8').trim().split('\n').includes(path.split('/')[0]);

function copy(image: Image, images: ReadonlyMap<string, Image>, rest: string, say: Say): void {
  const words = rest.split(/ +/);
  const [, stage] = /^--from=(.+)$/.exec(words[0]) ?? [];
  const sources = words.slice(stage === undefined ? 0 : 1, -1);
  const target = words.at(-1) ?? '';
  const from = stage === undefined ? null : images.get(stage);
  if (from === undefined) {
    say('no such stage');
    return;
  }
  for (const source of sources) {
    const isThere = from === null ? existsSync(join(root, source)) && !isIgnored(source) : has(from, source);
    if (!isThere) say(`${source} is not there`);
    if (from?.closed.has(source)) say(`${source} is root's alone`);
    const isInto = target.endsWith('/') && source !== '.';
    add(image, isInto ? join(target, basename(source)) : target);
    if (source === '.') for (const name of MANIFESTS) add(image, join(target, name));
  }
}

/** Notes what a command makes, and says what it lacks. */
function execute(image: Image, command: string, say: Say, commands: (readonly string[])[]): void {
  const [program, ...words] = command.replace(/"/g, '').split(/ +/);
  const operands = words.filter((word) => !word.startsWith('-'));
  const isThere = program.startsWith('/') ? has(image, program) : image.programs.has(program);
  if (!isThere) say(`there is no ${program}`);
  for (const [pattern, packages] of NEEDS)
    for (const each of packages)
      if (pattern.test(command) && !image.packages.has(each)) say(`wants Debian's ${each}`);
  const make = (...paths: readonly string[]) => paths.forEach((path) => void add(image, path));
  if (program === 'chmod' && operands[0] === 'a+rX') image.closed.delete(operands[1]);
  if (program === 'npm') npm(image, operands, say, make);
  else if (program === 'apt-get' && operands[0] === 'install') addPackages(image, operands.slice(1), say);
  else if (program === 'mkdir') make(...operands);
  else if (program === 'install') make(operands.at(-1) ?? '');
  else if (program === 'ln') link(image, operands, say);
  else if (/^ch(own|mod)$/.test(program) && !has(image, operands[1])) say(`there is no ${operands[1]}`);
  else if (program === 'python3' && words[1] === 'venv')
    make(...['', '/bin/python', '/bin/pip'].map((path) => words[2] + path));
  else if (/\/pip$/.test(program) && operands.some((word) => /^ray(\[|=|$)/.test(word)))
    make(join(dirname(program), 'ray'));
  else if (program === 'node') {
    if (!has(image, operands[0])) say(`there is no ${operands[0]}`);
    commands.push(words.slice(1));
    const home = image.variables.OPERANT_TENSORFLOW_HOME ?? 'nowhere';
    if (operands[1] === 'install-tensorflow') {
      make(home);
      image.closed.add(home);
    }
  } else if (
    !['apt-get', 'mkdir', 'chmod', 'chown', 'rm', 'python3'].includes(program) &&
    !/\/pip$/.test(program)
  )
    say(`this check does not know ${program}`);
}

function npm(image: Image, [what, script]: readonly string[], say: Say, make: (path: string) => void): void {
  for (const name of MANIFESTS) if (!has(image, name)) say(`npm ${what} wants ${name}`);
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  if (what === 'ci') make('node_modules');
  else if (what === 'run' && scripts[script] === undefined) say(`there is no script ${script}`);
  else if (what === 'run' && script === 'build') make('dist');
}

function addPackages(image: Image, names: readonly string[], say: Say): void {
  for (const name of names) {
    if (DEBIAN[name] === undefined) say(`this check does not know Debian's ${name}`);
    image.packages.add(name);
    for (const program of DEBIAN[name] ?? []) image.programs.add(program);
  }
}

function link(image: Image, [to, at]: readonly string[], say: Say): void {
  if (!has(image, to)) say(`there is no ${to}`);
  if (!has(image, dirname(at))) say(`there is no ${dirname(at)}`);
  add(image, at);
  if (dirname(at) === '/usr/local/bin') image.programs.add(at.slice('/usr/local/bin/'.length));
}
