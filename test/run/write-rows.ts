/** Writes rows whose sizes are given, for run-writers.test.ts: `write-rows.ts FOLDER [bytes, ...]`; prints each warning as a line. */
import { argv } from 'node:process';
import { openRunWriters } from '../../src/run/run-writers.ts';

const sizes: readonly number[] = JSON.parse(argv[3]);
const writers = openRunWriters(
  argv[2],
  { jsonl: true, csv: false, tensorboard: false },
  { iteration: 0, numEnvSteps: 0 },
  ({ message }) => console.log(message),
);
sizes.forEach((size, k) => {
  const fixed = { iteration: k + 1, numEnvSteps: 0, numEpisodes: 0, seconds: 0, timestamp: 0 };
  writers.write({ ...fixed, metrics: { ['x'.repeat(size)]: 0 } });
});
writers.close();
