/**
 * What several agents learn: `npm run bench:agents`.
 *
 *     npm run bench:agents -- [--only tic-tac-toe,kuhn] [--seeds 1,2,3,4,5] [--out bench/results/agents.md]
 *
 * Each row of bench/agents/rows.ts with each seed, to its last step, judged by itself, against the bar that was set beforehand. In this process with one
 * worker thread. Rows that are not run keep their lines in the table.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { DQNConfig, PPOConfig } from '../src/index.ts';
import { type AgentsRow, ROWS, type Verdict } from './agents/rows.ts';
import { describeMachine, machineLine } from './machine.ts';

const SEEDS = '1,2,3,4,5';
const { values: flags } = parseArgs({
  options: {
    only: { type: 'string', default: ROWS.map(({ id }) => id).join(',') },
    seeds: { type: 'string', default: SEEDS },
    out: { type: 'string', default: '' },
  },
});

const HEAD = ['row', 'what', 'bar', 'by seed', 'besides', 'steps', 'processor a run', 'verdict'];

async function train({ algorithm: name, config, numSteps, judge }: AgentsRow, seed: number) {
  const layers = { ...config, envRunners: { numEnvRunners: 1, ...config.envRunners }, debugging: { seed } };
  const builder = name === 'dqn' ? new DQNConfig(layers as never) : new PPOConfig(layers as never);
  const algorithm = await builder.build();
  const begin = process.cpuUsage();
  try {
    while (algorithm.numEnvSteps < numSteps) await algorithm.train();
    const { user, system } = process.cpuUsage(begin);
    return { verdict: await judge(algorithm), cpuSeconds: (user + system) / 1e6 };
  } finally {
    await algorithm.stop();
  }
}

function lineOf(row: AgentsRow, runs: readonly { verdict: Verdict; cpuSeconds: number }[]): string[] {
  const numMet = runs.filter(({ verdict }) => verdict.isMet).length;
  const seconds = runs.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0) / runs.length;
  const others = flags.seeds === SEEDS ? '' : ` (seeds ${flags.seeds.replaceAll(',', ', ')})`;
  return [
    row.id,
    row.what,
    row.bar,
    runs.map(({ verdict }) => String(Number(verdict.value.toFixed(4)))).join(' '),
    runs
      .map(({ verdict }) => verdict.detail)
      .filter((detail) => detail !== '')
      .join('; '),
    row.numSteps.toLocaleString('en-US'),
    `${seconds.toFixed(0)} s`,
    (numMet === runs.length ? 'met' : `${numMet} of ${runs.length}`) + others,
  ];
}

const show = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;

/** The table with these lines in place of the rows' old ones. */
function writeTable(file: string, lines: ReadonlyMap<string, string>): void {
  const old = existsSync(file) ? readFileSync(file, 'utf8').split('\n') : [];
  const kept = (id: string) => old.find((line) => line.startsWith(`| ${id} |`));
  const rows = ROWS.flatMap(({ id }) => lines.get(id) ?? kept(id) ?? []);
  const text = [
    '# What several agents learn',
    '',
    `\`npm run bench:agents\`; seeds ${SEEDS} where a line names no others; settings in \`bench/agents/rows.ts\`. ${machineLine(describeMachine())}`,
    '',
    show(HEAD),
    show(HEAD.map(() => '---')),
    ...rows,
    '',
  ];
  writeFileSync(file, text.join('\n'));
}

console.log(machineLine(describeMachine()));
const lines = new Map<string, string>();
for (const row of ROWS.filter(({ id }) => flags.only.split(',').includes(id))) {
  const runs = [];
  for (const seed of flags.seeds.split(',').map(Number)) {
    const run = await train(row, seed);
    runs.push(run);
    const { value, detail } = run.verdict;
    console.log(
      `${row.id}, seed ${seed}: ${value.toFixed(4)} ${detail} (${run.cpuSeconds.toFixed(0)} s of processor)`,
    );
  }
  lines.set(row.id, show(lineOf(row, runs)));
  console.log(lines.get(row.id));
  if (flags.out !== '') writeTable(flags.out, lines);
}
