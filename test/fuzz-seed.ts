/** The same random cases in every run of the suite; others with OPERANT_FUZZ_SEED=<integer>. */
import fc from 'fast-check';

fc.configureGlobal({ seed: Number(process.env.OPERANT_FUZZ_SEED ?? 1) });
