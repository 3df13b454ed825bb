/** Imports a user's module by URL, TypeScript included. */

let isTypeScriptReady = hasTypeScriptLoader();

/**
 * Imports a module. TypeScript goes through tsx, which is registered in this thread on the first such module unless
 * the process was started under it; its cost (about 0.2 s) is not paid for JavaScript.
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

function hasTypeScriptLoader(): boolean {
  const flags = [...process.execArgv, process.env.NODE_OPTIONS ?? ''].join(' ');
  return /\btsx\b/.test(flags);
}
