#!/usr/bin/env node
/** The bin `operant`. */
import { runProcess } from './run-process.ts';

await runProcess(process.argv.slice(2));
