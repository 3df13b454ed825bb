/** What a text for a module looks like. No file is looked at and nothing of Node is needed, so that a browser can read it, too. */

export const SCHEME = /^[a-z][a-z0-9+.-]+:/i; // of two letters and more: `C:\` is a drive
export const SCRIPT = /\.[cm]?[jt]sx?$/;

/** On any system: a checkpoint may come from another one. */
export const isAbsolutePath = (path: string): boolean => /^([\\/]|[a-z]:[\\/])/i.test(path);

/**
 * Whether a text names a module, as opposed to something that is known by its name (`CartPole`, `mlp`, `ppo`): a URL, a path, a file
 * name with a script's extension, or a package with `#` or `@` in front. Looks at no file.
 */
export function isModuleReference(text: string): boolean {
  const { specifier, exportName } = splitExport(text);
  return (
    exportName !== undefined ||
    SCHEME.test(specifier) ||
    /^\.{1,2}([\\/]|$)/.test(specifier) ||
    isAbsolutePath(specifier) ||
    SCRIPT.test(specifier) ||
    specifier.startsWith('@')
  );
}

/** `./my-env.ts#maze`: what is imported, and the export behind the `#`. */
export function splitExport(text: string): { specifier: string; exportName: string | undefined } {
  const at = text.lastIndexOf('#');
  if (at < 0) return { specifier: text, exportName: undefined };
  return { specifier: text.slice(0, at), exportName: text.slice(at + 1) || undefined };
}
