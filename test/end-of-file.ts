/** What is to be done when the tests of a file are over. Of a module that files share, `afterAll` would be heard by the first of them alone. */
const waiting: (() => void)[] = [];

export const atEndOfFile = (clean: () => void): void => void waiting.push(clean);

/** Called behind each file. */
export function endFile(): void {
  for (const clean of waiting.splice(0)) clean();
}
