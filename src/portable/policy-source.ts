/** Where a policy's files are read from: a URL, or a function of the caller's. */
import { CheckpointError, ConfigError } from '../errors.ts';

/** Anything with an address, such as a `URL`. */
export interface HasHref {
  readonly href: string;
}

/** Reads one file by its path in the folder, with forward slashes; null when there is none. */
export interface PolicyReader {
  read(path: string): Promise<Uint8Array | ArrayBuffer | null>;
}

export type PolicySource = string | HasHref | PolicyReader;

export interface OpenedSource {
  /** For messages. */
  readonly name: string;
  /** Of the model file, where the source names it. */
  readonly modelFile: string;
  read(path: string): Promise<Uint8Array | null>;
}

const toBytes = (bytes: Uint8Array | ArrayBuffer) =>
  bytes instanceof Uint8Array ? bytes : new Uint8Array(bytes);

/** @throws ConfigError `CONFIG_POLICY_SOURCE` for what is no address. */
export function openSource(source: PolicySource): OpenedSource {
  if (typeof source === 'object' && 'read' in source) {
    const read = async (path: string) => {
      const bytes = await source.read(path);
      return bytes === null ? null : toBytes(bytes);
    };
    return { name: 'the given reader', modelFile: 'model.json', read };
  }
  const { href, modelFile } = addressOf(typeof source === 'string' ? source : source.href);
  return { name: href, modelFile, read: (path) => fetchBytes(new URL(path, href).href) };
}

function addressOf(text: string): { href: string; modelFile: string } {
  const { location } = globalThis as { location?: HasHref };
  let url: URL;
  try {
    url = new URL(text, location?.href);
  } catch (cause) {
    throw notFetched(text, 'it is no URL', cause);
  }
  if (url.protocol === 'file:') throw notFetched(text, 'fetch() reads no files');
  const file = /[^/]+\.json$/.exec(url.pathname)?.[0];
  if (file === undefined && !url.pathname.endsWith('/')) url.pathname += '/';
  return { href: url.href, modelFile: file ?? 'model.json' };
}

function notFetched(text: string, why: string, cause?: unknown): ConfigError {
  return new ConfigError(
    'CONFIG_POLICY_SOURCE',
    `No policy can be fetched from \`${text}\`: ${why}. Give an http(s) URL of a folder or a model.json, or a reader: \`{ read: async (path) => bytes or null }\`.`,
    { cause },
  );
}

async function fetchBytes(href: string): Promise<Uint8Array | null> {
  const response = await fetch(href).catch((cause: unknown) => {
    throw new CheckpointError('CHECKPOINT_READ', `Cannot fetch \`${href}\`: ${String(cause)}`, { cause });
  });
  if (response.status === 404 || response.status === 410) return null;
  if (!response.ok)
    throw new CheckpointError('CHECKPOINT_READ', `Cannot fetch \`${href}\`: it answered ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}
