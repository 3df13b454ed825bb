/** `node --import` this for threads and processes that run nothing but this clone's TypeScript, and a user's through `importModule`. */
import { register } from 'node:module';

register('./typescript-hooks.mjs', import.meta.url);
process.setSourceMapsEnabled(true);
