/** The commonest mistake with factories: a class, which cannot be called. */

/** What to do about an error that a factory threw because it is a class; null for any other. */
export function classHint(error: unknown): string | null {
  const name = /^Class constructor (\S+) cannot be invoked/.exec(
    error instanceof Error ? error.message : '',
  )?.[1];
  return name === undefined
    ? null
    : `\`${name}\` is a class: give a function that makes one, () => new ${name}().`;
}
