/** `operant play`: a person against a policy, in the terminal. */
import { createInterface } from 'node:readline';
import { registerShippedEnvs } from '../../envs/index.ts';
import { loadPolicy } from '../algorithm/load-policy.ts';
import type { Actor } from '../algorithm/policy-calls.ts';
import { makeMultiAgentEnv } from '../env/agents/load-agents-env.ts';
import type { AgentsReset, AgentsStep, MultiAgentEnv } from '../env/agents/multi-agent-env.ts';
import { ConfigError } from '../errors.ts';
import type { OutputStream } from '../run/run-output.ts';
import type { CommandContext } from './command.ts';
import { readFlags, readInteger } from './command-flags.ts';
import type { FlagSpec } from './flags.ts';
import { GAME_FLAGS, givenCheckpoint, playground } from './playground.ts';
import { EXIT } from './report-error.ts';

const USAGE = `Usage: operant play --checkpoint <folder> --as <agent> [flags]

Plays a game against a policy: you are one agent, the policy all others. Type the number of an action, or q.`;

const FLAGS: readonly FlagSpec[] = [
  ...GAME_FLAGS,
  { name: 'as', form: '<agent>', doc: 'Whom you play. [the first agent]' },
  { name: 'policy', form: '<name>', doc: 'Against which policy, of several. [default]' },
  { name: 'seed', form: '<integer>', doc: 'Seed of the game. [0]' },
  { name: 'stochastic', form: '', doc: 'Let the policy draw its actions instead of taking the likeliest.' },
];

export async function playCommand(context: CommandContext): Promise<number> {
  const flags = readFlags(context, USAGE, FLAGS);
  if (flags === null) return EXIT.done;
  registerShippedEnvs();
  const checkpoint = await givenCheckpoint(flags, 'Against whom?');
  const { source, hasSeveralAgents } = await playground(checkpoint, flags);
  if (!hasSeveralAgents)
    throw new ConfigError('CONFIG_CONFLICT', `${source.id} has one agent: watch it with evaluate --watch.`);
  const env = await makeMultiAgentEnv(source);
  const names = Object.keys(env.agents);
  const person = flags.get('as') ?? names[0];
  if (!names.includes(person))
    throw new ConfigError(
      'CONFIG_FLAG',
      `There is no agent \`${person}\`: give --as one of ${names.join(', ')}.`,
    );
  const policy = await loadPolicy(checkpoint, { policy: flags.get('policy') ?? 'default' });
  const deterministic = flags.get('stochastic') !== 'true';
  const seed = readInteger(flags, 'seed', 0) ?? 0;
  const lines = readLines(context.stdin ?? process.stdin);
  try {
    const game = { env, person, deterministic, lines, out: context.stdout };
    await playGame(game, new Map(names.map((name) => [name, policy.actor()])), seed);
  } finally {
    lines.close();
    env.close?.();
  }
  return EXIT.done;
}

interface Game {
  readonly env: MultiAgentEnv;
  readonly person: string;
  readonly deterministic: boolean;
  readonly lines: Lines;
  readonly out: OutputStream;
}

async function playGame(game: Game, actors: ReadonlyMap<string, Actor>, seed: number): Promise<void> {
  const { env, out } = game;
  for (const [k, actor] of [...actors.values()].entries()) actor.reset(seed + k);
  const returns = new Map(Object.keys(env.agents).map((name) => [name, 0]));
  let now: AgentsReset = env.reset({ seed });
  for (;;) {
    out.write(`\n${env.render?.('ansi') ?? ''}\n`);
    const actions = await chooseActions(game, now, actors);
    if (actions === null) return;
    const step = env.step(actions);
    now = step;
    for (const [name, reward] of Object.entries(step.rewards ?? {}))
      returns.set(name, (returns.get(name) ?? 0) + reward);
    if (step.terminated === true || step.truncated === true) {
      tellEnd(game, step, returns);
      return;
    }
  }
}

/** Of everybody who acts now; null = the person has left. */
async function chooseActions(
  game: Game,
  now: AgentsReset,
  actors: ReadonlyMap<string, Actor>,
): Promise<Record<string, unknown> | null> {
  const actions: Record<string, unknown> = {};
  for (const name of now.acting ?? Object.keys(now.observations)) {
    const isPerson = name === game.person;
    const action = isPerson ? await ask(game, now) : answer(game, now, name, actors.get(name) as Actor);
    if (action === null) return null;
    if (!isPerson) game.out.write(`${name} plays ${showAction(action)}\n`);
    actions[name] = action;
  }
  return actions;
}

function tellEnd({ env, person, out }: Game, step: AgentsStep, returns: ReadonlyMap<string, number>): void {
  const outcome = step.info?.outcome?.[person] ?? Math.sign(returns.get(person) ?? 0);
  const said = outcome > 0 ? 'You win' : outcome < 0 ? 'You lose' : 'A draw';
  const all = [...returns].map(([name, value]) => `${name} ${value}`).join(', ');
  out.write(`\n${env.render?.('ansi') ?? ''}\n${said}: ${all}\n`);
}

function answer({ deterministic }: Game, now: AgentsReset, name: string, actor: Actor): unknown {
  const actionMask = now.actionMasks?.[name];
  return actor.act(now.observations[name], {
    deterministic,
    ...(actionMask === undefined ? {} : { actionMask }),
  });
}

function showAction(action: unknown): string {
  return typeof action === 'number' ? String(action) : JSON.stringify(action);
}

/** An allowed action, asked for until there is one; null = the person has left. */
async function ask({ env, person, lines, out }: Game, now: AgentsReset): Promise<number | null> {
  const { actionSpace } = env.agents[person];
  if (actionSpace.kind !== 'discrete')
    throw new ConfigError(
      'CONFIG_CONFLICT',
      `The actions of ${person} are no numbers to choose from: play takes Discrete ones.`,
    );
  const { n, start = 0 } = actionSpace;
  const mask = now.actionMasks?.[person];
  const allowed = Array.from({ length: n }, (_, k) => k).filter((k) => mask === undefined || mask[k] === 1);
  const choices = allowed.map((k) => k + start);
  for (;;) {
    out.write(`${person} (${choices.join(' ')}, or q): `);
    const line = await lines.next();
    if (line === null || line.trim() === 'q') {
      out.write('\n');
      return null;
    }
    const chosen = Number(line.trim());
    if (line.trim() !== '' && choices.includes(chosen)) return chosen;
    out.write(`\`${line.trim()}\` is none of these.\n`);
  }
}

interface Lines {
  /** null = there are no more. */
  next(): Promise<string | null>;
  close(): void;
}

function readLines(input: NodeJS.ReadableStream): Lines {
  const reader = createInterface({ input });
  const iterator = reader[Symbol.asyncIterator]();
  return {
    async next() {
      const { value, done } = await iterator.next();
      return done === true ? null : (value as string);
    },
    close: () => reader.close(),
  };
}
