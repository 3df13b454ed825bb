/** Code blocks of README.md that stand under a marker `<!-- example: NAME -->`. */
import { readFileSync } from 'node:fs';

const README = new URL('../../README.md', import.meta.url);
const BLOCK = /<!-- example: ([a-z-]+) -->\n+```ts\n([\s\S]*?)```/g;

export function readmeExamples(): ReadonlyMap<string, string> {
  return new Map([...readFileSync(README, 'utf8').matchAll(BLOCK)].map(([, name, code]) => [name, code]));
}

export function readmeCode(name: string): string {
  const code = readmeExamples().get(name);
  if (code === undefined) throw new Error(`README.md has no code marked <!-- example: ${name} -->.`);
  return code;
}
