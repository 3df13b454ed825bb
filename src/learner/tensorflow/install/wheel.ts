/** TensorFlow's shared libraries and headers, out of its Python wheel. Python itself is not needed to run them. */
import { existsSync } from 'node:fs';
import { copyFile, mkdir, readdir } from 'node:fs/promises';
import path from 'node:path';
import { EngineError } from '../../../errors.ts';
import { findCommand, lastErrorLine, runCommand } from './run-command.ts';
import { extractZipEntry, readZipEntries, readZipText, type ZipEntry } from './zip.ts';

/** Where the installer reports progress, one line at a time. */
export interface InstallOutput {
  line(text: string): void;
}

/** The wheels of every Python version hold the same libraries; asking for one makes the local version irrelevant. */
const WHEEL_PYTHON = '3.12';

const PIP_CANDIDATES = [
  ['python3', '-m', 'pip'],
  ['python', '-m', 'pip'],
  ['py', '-m', 'pip'],
  ['pip3'],
  ['pip'],
] as const;

/** libtensorflow_cc and libtensorflow_framework under Linux' and macOS' names. */
const LIBRARY = /^tensorflow\/libtensorflow_(cc|framework)\.(so\.\d+|\d+\.dylib)$/;
/** The headers that the binding includes, and what they include. */
const HEADER =
  /^tensorflow\/include\/(tensorflow\/c\/|tsl\/c\/|xla\/tsl\/c\/|.*\/platform\/(ctstring|types|platform)[^/]*\.h$)/;
const CUDA_LIBRARY = /^nvidia\/.*\/lib\/[^/]*\.so[^/]*$/;

/**
 * Downloads a wheel with pip into `folder`, or finds it there from an earlier try.
 *
 * @param requirement as pip wants it, such as `tensorflow-cpu==2.21.0`.
 * @throws EngineError `ENGINE_INSTALL_PIP` when pip is missing or cannot get the wheel.
 */
export async function downloadWheel(
  requirement: string,
  folder: string,
  output: InstallOutput,
): Promise<string> {
  const done = await finishedWheel(folder, requirement);
  if (done !== null) {
    output.line(`Found ${path.basename(done)} from an earlier try.`);
    return done;
  }
  const pip = await findCommand(PIP_CANDIDATES);
  if (pip === null) {
    throw new EngineError(
      'ENGINE_INSTALL_PIP',
      "Python's pip is needed to download TensorFlow's wheel and was not found (tried python3 -m pip, python -m pip, pip3, pip). Install Python 3.9 or later, or give a wheel with --from.",
    );
  }
  await mkdir(folder, { recursive: true });
  output.line(`Downloading ${requirement} with ${pip.join(' ')} ...`);
  const [command, ...args] = pip;
  const flags = [
    'download',
    '--no-deps',
    '--only-binary=:all:',
    '--python-version',
    WHEEL_PYTHON,
    '--dest',
    folder,
  ];
  const result = await runCommand(command, [...args, ...flags, '--disable-pip-version-check', requirement], {
    onLine: (line) => {
      if (/^(Downloading|Saved)/.test(line)) output.line(`  ${line}`);
    },
  });
  const wheel = result.exitCode === 0 ? await finishedWheel(folder, requirement) : null;
  if (wheel === null) {
    throw new EngineError(
      'ENGINE_INSTALL_PIP',
      `pip could not download ${requirement}: ${lastErrorLine(result)}. Check the network, the version and the platform, or give a wheel with --from.`,
    );
  }
  return wheel;
}

/** pip moves a wheel into place only when it is whole. */
async function finishedWheel(folder: string, requirement: string): Promise<string | null> {
  const project = requirement.split(/[<>=!~;[ ]/)[0].replaceAll('-', '_');
  const version = /==([^,; ]+)/.exec(requirement)?.[1] ?? '';
  if (!existsSync(folder)) return null;
  const names = await readdir(folder);
  const name = names.find((file) => file.startsWith(`${project}-${version}`) && file.endsWith('.whl'));
  return name === undefined ? null : path.join(folder, name);
}

/**
 * Extracts libraries to `<target>/deps/lib` and headers to `<target>/deps/include`, each checked against the sha256 in the
 * wheel's own RECORD.
 */
export async function extractTensorFlow(wheel: string, target: string, output: InstallOutput): Promise<void> {
  const entries = await readZipEntries(wheel);
  const libraries = entries.filter(({ name }) => LIBRARY.test(name));
  if (libraries.length < 2) {
    throw new EngineError(
      'ENGINE_INSTALL_ARCHIVE',
      `Expected libtensorflow_cc and libtensorflow_framework in ${wheel}, got ${libraries.length} of them. Use a wheel of tensorflow or tensorflow-cpu, 2.16 or later.`,
    );
  }
  const headers = entries.filter(({ name }) => HEADER.test(name) && name.endsWith('.h'));
  const record = await readRecord(wheel, entries);
  for (const entry of headers) {
    const file = path.join(target, 'deps', entry.name.replace(/^tensorflow\//, ''));
    checkRecord(record, entry, await extractZipEntry(wheel, entry, file));
  }
  await extractLibraries(wheel, libraries, record, target, output);
}

/** Extracts NVIDIA's libraries beside TensorFlow's, whose loader looks in its own folder. */
export async function extractCudaLibraries(
  wheel: string,
  target: string,
  output: InstallOutput,
): Promise<void> {
  const entries = await readZipEntries(wheel);
  const libraries = entries.filter(({ name }) => CUDA_LIBRARY.test(name));
  await extractLibraries(wheel, libraries, await readRecord(wheel, entries), target, output);
}

async function extractLibraries(
  wheel: string,
  libraries: readonly ZipEntry[],
  record: ReadonlyMap<string, string>,
  target: string,
  output: InstallOutput,
): Promise<void> {
  const total = libraries.reduce((sum, { size }) => sum + size, 0);
  const megabytes = (bytes: number) => Math.round(bytes / 1e6);
  output.line(
    `Extracting ${libraries.length} libraries, ${megabytes(total)} MB, from ${path.basename(wheel)} ...`,
  );
  let written = 0;
  let reported = 0;
  for (const entry of libraries) {
    const file = path.join(target, 'deps', 'lib', path.posix.basename(entry.name));
    const sum = await extractZipEntry(wheel, entry, file, (count) => {
      written += count;
      if (written - reported < total / 4) return;
      reported = written;
      output.line(`  ${megabytes(written)} of ${megabytes(total)} MB`);
    });
    checkRecord(record, entry, sum);
  }
}

/** sha256 by file name from the wheel's RECORD (PEP 376), in hexadecimal. */
async function readRecord(wheel: string, entries: readonly ZipEntry[]): Promise<Map<string, string>> {
  const entry = entries.find(({ name }) => name.endsWith('.dist-info/RECORD'));
  if (entry === undefined) {
    throw new EngineError(
      'ENGINE_INSTALL_ARCHIVE',
      `Expected a RECORD with checksums in ${wheel}; it is no wheel.`,
    );
  }
  const sums = new Map<string, string>();
  for (const line of (await readZipText(wheel, entry)).split('\n')) {
    const match = /^(.*),sha256=([^,]+),\d*\r?$/.exec(line);
    if (match !== null) sums.set(match[1], Buffer.from(match[2], 'base64url').toString('hex'));
  }
  return sums;
}

function checkRecord(record: ReadonlyMap<string, string>, entry: ZipEntry, sum: string): void {
  const expected = record.get(entry.name);
  if (expected === sum) return;
  throw new EngineError(
    'ENGINE_INSTALL_CHECKSUM',
    `Expected sha256 ${expected ?? '(in the wheel)'} of ${entry.name}, got ${sum}. Delete the wheel and try again.`,
  );
}

/** Requirements of the wheel's `and-cuda` extra, as pip wants them; the compiler (nvcc), which holds no library, is left out. */
export async function cudaRequirements(wheel: string): Promise<string[]> {
  const entries = await readZipEntries(wheel);
  const metadata = entries.find(({ name }) => name.endsWith('.dist-info/METADATA'));
  if (metadata === undefined) return [];
  const lines = (await readZipText(wheel, metadata)).split(/\r?\n/);
  return lines.flatMap(
    (line) => /^Requires-Dist: (nvidia-[^;]+); extra == ["']and-cuda["']/.exec(line)?.[1] ?? [],
  );
}

/** Copies libraries and headers from an unpacked TensorFlow (a site-packages folder, or the `tensorflow` folder in it). */
export async function copyTensorFlow(folder: string, target: string): Promise<void> {
  const root = [folder, path.join(folder, 'tensorflow')].find((candidate) =>
    ['libtensorflow_cc.so.2', 'libtensorflow_cc.2.dylib'].some((name) =>
      existsSync(path.join(candidate, name)),
    ),
  );
  if (root === undefined) {
    throw new EngineError(
      'ENGINE_INSTALL_ARCHIVE',
      `Expected libtensorflow_cc in ${folder} or in ${path.join(folder, 'tensorflow')}. Give a wheel, or the folder of an installed TensorFlow 2.16 or later.`,
    );
  }
  const files = await readdir(root, { recursive: true });
  for (const file of files) {
    const name = `tensorflow/${file.split(path.sep).join('/')}`;
    const header = HEADER.test(name) && name.endsWith('.h');
    if (!header && !LIBRARY.test(name)) continue;
    const destination = path.join(target, 'deps', header ? file : path.join('lib', path.basename(file)));
    await mkdir(path.dirname(destination), { recursive: true });
    await copyFile(path.join(root, file), destination);
  }
}
