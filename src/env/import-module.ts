/** Imports a user's module by URL, TypeScript included. */

/** Registering twice makes every later resolution twice as slow, so concurrent imports share one registration. */
let registration: Promise<void> | undefined;

/**
 * Imports a module. TypeScript goes through tsx, which is registered in this thread on the first such module (about
 * 0.2 s, not paid for JavaScript). Registering it where the process already runs under it does no harm, and is needed
 * there too: Node does not hand the parent's loader on to worker threads.
 *
 * Node's own type stripping is not used: it does not resolve `./x.js` to `x.ts`, and refuses enums.
 */
export async function importModule(href: string): Promise<Record<string, unknown>> {
  if (isTypeScript(href)) {
    registration ??= registerTypeScript();
    await registration;
  }
  return unwrap((await import(href)) as Record<string, unknown>);
}

async function registerTypeScript(): Promise<void> {
  const [esm, cjs] = await Promise.all([import('tsx/esm/api'), import('tsx/cjs/api')]);
  esm.register();
  cjs.register(); // for a project without "type": "module", whose .ts files Node takes as CommonJS
}

/** A module that was compiled to CommonJS arrives whole as the default export. */
function unwrap(module: Record<string, unknown>): Record<string, unknown> {
  const inner = module.default as Record<string, unknown> | null | undefined;
  return typeof inner === 'object' && inner?.__esModule === true ? inner : module;
}

function isTypeScript(href: string): boolean {
  return /\.[cm]?tsx?$/.test(new URL(href).pathname);
}
