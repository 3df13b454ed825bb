/**
 * Module hooks that read the TypeScript of this clone, for threads and processes that run from source (`own-typescript.mjs`). tsx, which does more, takes a third of a second of
 * the processor in each of them before anything is loaded. A user's files are left to tsx (`src/modules/import-module.ts`).
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isPrivateFolder } from './compile-cache.mjs';

const ROOT = new URL('..', import.meta.url).href;
const uid = process.geteuid?.() ?? -1; // Windows has none: nothing is kept there
const cache = join(tmpdir(), `operant-compiled-${uid}`);
const isKept = isPrivateFolder(cache, uid);

const isOurs = (url) => url.startsWith(ROOT) && url.endsWith('.ts') && !url.includes('/node_modules/');

/** Our imports name the file that they mean; those of an environment that lies in the clone may name what it would be compiled to. */
export async function resolve(specifier, context, next) {
  if (!specifier.startsWith('.') || context.parentURL === undefined) return next(specifier, context);
  const { href } = new URL(specifier, context.parentURL);
  if (isOurs(href)) return { url: href, format: 'module', shortCircuit: true };
  const source = href.replace(/(\.js)?$/, '.ts');
  if (!isOurs(source) || existsSync(fileURLToPath(href)) || !existsSync(fileURLToPath(source)))
    return next(specifier, context);
  return { url: source, format: 'module', shortCircuit: true };
}

export async function load(url, context, next) {
  if (!isOurs(url)) return next(url, context);
  return { format: 'module', source: await compiled(url), shortCircuit: true };
}

/** Kept by what the file holds: compiled once for all threads, and again when it changes. */
async function compiled(url) {
  const path = fileURLToPath(url);
  const text = readFileSync(path, 'utf8');
  const key = createHash('sha1')
    .update(`${process.version} ${basename(path)}\n${text}`)
    .digest('hex');
  const kept = join(cache, key);
  if (isKept && existsSync(kept)) return readFileSync(kept, 'utf8');
  const { transform } = await import('esbuild');
  const { code } = await transform(text, {
    loader: 'ts',
    format: 'esm',
    target: `node${process.versions.node}`,
    tsconfigRaw: { compilerOptions: { verbatimModuleSyntax: true } },
    sourcemap: 'inline',
    sourcefile: basename(path), // beside what is loaded: the same wherever the clone lies
    sourcesContent: false,
  });
  if (isKept) {
    const part = `${kept}.${process.pid}.${performance.now()}`; // threads compile the same file at once
    writeFileSync(part, code);
    renameSync(part, kept);
  }
  return code;
}
