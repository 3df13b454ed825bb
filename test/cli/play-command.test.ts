/** A person against a policy: every game that is typed comes to its end, and what is no move is asked for again. */
import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { playCommand } from '../../src/cli/play-command.ts';
import { PPOConfig } from '../../src/index.ts';
import { temporaryFolder } from '../temporary-folder.ts';

async function savedRun(env: string): Promise<string> {
  const path = `${temporaryFolder()}/run`;
  const algorithm = await new PPOConfig()
    .environment(env)
    .envRunners({ numEnvRunners: 0, numEnvs: 2, rolloutLength: 16 })
    .training({ hiddenSizes: [8], minibatchSize: 16 })
    .build();
  await algorithm.save(path);
  await algorithm.stop();
  return path;
}

async function play(typed: readonly string[], ...argv: string[]) {
  let text = '';
  const write = (chunk: string | Uint8Array) => {
    text += String(chunk);
    return true;
  };
  const stdin = Readable.from(typed.map((line) => `${line}\n`));
  const exitCode = await playCommand({ argv, stdout: { write }, stderr: { write }, isVerbose: false, stdin });
  return { exitCode, text };
}

test('a game of tic-tac-toe from either seat, with what is no move asked for again', async () => {
  const run = await savedRun('TicTacToe');
  const cells = Array.from({ length: 9 }, (_, cell) => String(cell));
  for (const seat of ['x', 'o']) {
    const { exitCode, text } = await play(
      ['nine', '9', '', ...cells, ...cells],
      '--checkpoint',
      run,
      '--as',
      seat,
    );
    expect(exitCode).toBe(0);
    expect(text).toContain('`nine` is none of these.');
    expect(text).toMatch(/(You win|You lose|A draw): x -?\d, o -?\d\n$/);
    expect(text).toContain(`${seat === 'x' ? 'o' : 'x'} plays `);
  }
  const left = await play(['q'], '--checkpoint', run);
  expect([left.exitCode, left.text.includes('You')]).toEqual([0, false]);
  await expect(play([], '--checkpoint', run, '--as', 'z')).rejects.toThrow(
    /no agent `z`: give --as one of x, o/,
  );
});

test('an environment of one agent is refused', async () => {
  await expect(play([], '--checkpoint', await savedRun('CartPole'))).rejects.toThrow(/has one agent/);
});
