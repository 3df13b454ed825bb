/** Imports a user's module by URL, TypeScript included. */
import { whileLoading, withinSeconds } from './loading.ts';
import { assertFileUrl } from './module-reference.ts';

/** A module that downloads something at its top level may take a while; one that takes longer hangs. */
const LOADING_SECONDS = 120;

/** Where we run from source; null when compiled. */
const CLONE = /^(.*\/)src\/modules\/[^/]*\.ts$/.exec(import.meta.url)?.[1] ?? null;

/** Registering twice makes every later resolution twice as slow, so concurrent imports share one registration. */
let registration: Promise<void> | undefined;

/**
 * Imports a module. TypeScript goes through tsx, which is registered in this thread on the first such module (about
 * 0.2 s, not paid for JavaScript). Registering it where the process already runs under it does no harm, and is needed
 * there too: Node does not hand the parent's loader on to worker threads.
 *
 * Node's own type stripping is not used: it does not resolve `./x.js` to `x.ts`, and refuses enums.
 *
 * A module that ends the process while it is loaded is told of on stderr, with an exit code that is not 0.
 *
 * @throws ConfigError `CONFIG_MODULE_URL` for anything but a `file:` URL of this machine; Error when it does not finish within `seconds`;
 * else what the module throws.
 */
export async function importModule(
  href: string,
  seconds = LOADING_SECONDS,
): Promise<Record<string, unknown>> {
  assertFileUrl(href);
  await prepareImport(href);
  const loaded = whileLoading(`the module ${href}`, () => withinSeconds(import(href), seconds));
  return unwrap((await loaded) as Record<string, unknown>);
}

/** Makes a later `import(href)` in this thread understand TypeScript, if that is what it is. */
export async function prepareImport(href: string): Promise<void> {
  if (!isTypeScript(href) || process.versions.deno !== undefined) return; // Deno reads TypeScript by itself, and tsx breaks it there
  if (CLONE !== null && href.startsWith(CLONE) && href.endsWith('.ts') && !href.includes('/node_modules/'))
    return; // what loaded this module loads that one
  registration ??= registerTypeScript();
  await registration;
}

/**
 * tsx keeps what it has compiled in a folder of the temporary directory whose name anybody can guess (`tsx-1000`), and runs what it
 * finds there; on a machine with several users another one may have put it there. So it is loaded without that cache.
 */
async function registerTypeScript(): Promise<void> {
  const { TSX_DISABLE_CACHE: before } = process.env;
  process.env.TSX_DISABLE_CACHE = '1'; // read while tsx loads, in this thread and in that of its hooks
  try {
    const [esm, cjs] = await Promise.all([import('tsx/esm/api'), import('tsx/cjs/api')]);
    esm.register();
    cjs.register(); // for a project without "type": "module", whose .ts files Node takes as CommonJS
  } finally {
    if (before === undefined) delete process.env.TSX_DISABLE_CACHE;
    else process.env.TSX_DISABLE_CACHE = before;
  }
}

/** A module that was compiled to CommonJS arrives whole as the default export. */
function unwrap(module: Record<string, unknown>): Record<string, unknown> {
  const inner = module.default as Record<string, unknown> | null | undefined;
  return typeof inner === 'object' && inner?.__esModule === true ? inner : module;
}

function isTypeScript(href: string): boolean {
  return /\.[cm]?tsx?$/.test(new URL(href).pathname);
}
