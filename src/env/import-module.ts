/** Imports a user's module by URL, TypeScript included. */

let isTypeScriptReady = false;

/**
 * Imports a module. TypeScript goes through tsx, which is registered in this thread on the first such module (about
 * 0.2 s, not paid for JavaScript). Registering it where the process already runs under it does no harm, and is needed
 * there too: Node does not hand the parent's loader on to worker threads.
 *
 * Node's own type stripping is not used: it does not resolve `./x.js` to `x.ts`, and refuses enums.
 */
export async function importModule(href: string): Promise<Record<string, unknown>> {
  if (!isTypeScriptReady && isTypeScript(href)) {
    const { register } = await import('tsx/esm/api');
    register();
    isTypeScriptReady = true;
  }
  return (await import(href)) as Record<string, unknown>;
}

function isTypeScript(href: string): boolean {
  return /\.[cm]?tsx?$/.test(new URL(href).pathname);
}
