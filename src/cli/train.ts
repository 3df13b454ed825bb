#!/usr/bin/env node
/** The bin `train`: the same as `operant train`. */
import { runProcess } from './run-process.ts';

await runProcess(['train', ...process.argv.slice(2)]);
