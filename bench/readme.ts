/**
 * `npm run bench:report`: writes the README's table anew from bench/results/peers.json and bench/results/learning.json.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { LearningResults } from './learning/results.ts';
import { readResults } from './peers/results.ts';
import { readmeBlock, withBlock } from './readme-block.ts';

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));
const learning = JSON.parse(readFileSync(path('./results/learning.json'), 'utf8')) as LearningResults;
const block = readmeBlock(readResults(path('./results/peers.json')), learning);
writeFileSync(path('../README.md'), withBlock(readFileSync(path('../README.md'), 'utf8'), block));
process.stdout.write(`${block}\n`);
