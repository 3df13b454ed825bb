/** Before each test file: the same random cases in every run of the suite; others with OPERANT_FUZZ_SEED=<integer>. */
import fc from 'fast-check';
import { afterAll } from 'vitest';
import { endFile } from './end-of-file.ts';
import './same-bytes.ts';

fc.configureGlobal({ seed: Number(process.env.OPERANT_FUZZ_SEED ?? 1) });
afterAll(endFile);
