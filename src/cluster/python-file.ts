/** The file that an environment `python:FILE#NAME` names: it travels as a module does, and lies elsewhere on a host. */
import type { EnvModuleSource } from '../env/env-source.ts';

const REFERENCE = /^python:(.*)#([^#]*)$/s;

const matchOf = ({ options }: EnvModuleSource) =>
  typeof options.reference === 'string' ? REFERENCE.exec(options.reference) : null;

/** null = it names none. */
export function pythonFileOf(source: EnvModuleSource): string | null {
  return matchOf(source)?.[1] ?? null;
}

/** The same environment, made by the file of this path. */
export function withPythonFile(source: EnvModuleSource, path: string): EnvModuleSource {
  const name = matchOf(source)?.[2] ?? '';
  return { ...source, options: { ...source.options, reference: `python:${path}#${name}` } };
}
