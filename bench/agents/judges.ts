/** How well several agents have learned: exact where the game is small, by many games where it is not. */
import { kuhnPokerKernel } from '../../envs/kuhn-poker.ts';
import { ticTacToeKernel } from '../../envs/tic-tac-toe.ts';
import { openCast } from '../../src/algorithm/agents/open-cast.ts';
import { makeRenderableAgents, showAgentsEpisode } from '../../src/algorithm/agents/show-agents-episode.ts';
import type { Algorithm } from '../../src/algorithm/algorithm.ts';
import { strategiesOf } from '../../src/algorithm/games/checkpoint-strategies.ts';
import { exploitabilityOf, lostLines, type Strategy } from '../../src/algorithm/games/exploitability.ts';
import { exploreGame, type GameTree } from '../../src/algorithm/games/game-tree.ts';
import { createAgentsEnvs } from '../../src/env/agents/agents-envs.ts';
import { resolveEnv } from '../../src/env/env-source.ts';
import type { Verdict } from './rows.ts';

export type RunningAlgorithm = Algorithm;

const uniform: Strategy = ({ actions }) => actions.map(() => 1 / actions.length);
const likeliest =
  (of: Strategy): Strategy =>
  (situation, index) => {
    const shares = of(situation, index);
    const best = shares.indexOf(Math.max(...shares));
    return shares.map((_, a) => (a === best ? 1 : 0));
  };

/** Tic-tac-toe: lines lost; expected score against random play. */
export async function judgeLines(algorithm: RunningAlgorithm): Promise<Verdict> {
  const tree = exploreGame(createAgentsEnvs(ticTacToeKernel(1)));
  const { policy } = strategiesOf(await algorithm.getState(), 'the run', 'default');
  const lost = lostLines(tree, policy);
  const best = likeliest(policy);
  const scores = [expectedScore(tree, [best, uniform], 0), expectedScore(tree, [uniform, best], 1)];
  return {
    value: lost[0] + lost[1],
    isMet: lost[0] + lost[1] === 0 && scores[0] >= 0.98 && scores[1] >= 0.88,
    detail: `${scores[0].toFixed(3)}, ${scores[1].toFixed(3)}`,
  };
}

/** Expected sum of a seat's rewards where each seat plays a strategy of its own. */
function expectedScore(
  { nodes, situations, roots }: GameTree,
  strategies: readonly Strategy[],
  seat: number,
): number {
  const values = new Float64Array(nodes.length);
  for (let n = nodes.length - 1; n >= 0; n--) {
    const { situation, children } = nodes[n];
    if (situation < 0) continue;
    const shares = strategies[situations[situation].seat](situations[situation], situation);
    values[n] = children.reduce((sum, c, a) => sum + shares[a] * (nodes[c].rewards[seat] + values[c]), 0);
  }
  return roots.reduce((sum, { node, probability }) => sum + probability * values[node], 0);
}

/** Kuhn poker: exploitability of the mixture of past versions in the true game, whatever was trained in. */
export async function judgeKuhn(
  algorithm: RunningAlgorithm,
  isMet: (value: number) => boolean,
): Promise<Verdict> {
  const tree = exploreGame(createAgentsEnvs(kuhnPokerKernel(1)));
  const { policy, past } = strategiesOf(await algorithm.getState(), 'the run', 'default');
  const value = exploitabilityOf(tree, past).exploitability;
  const last = exploitabilityOf(tree, [policy]).exploitability;
  return { value, isMet: isMet(value), detail: `last policy ${last.toFixed(3)}` };
}

/** Share of games with an outcome above 0, half of them from each seat; greedy against the script's own chance. */
export async function judgeMatches(
  algorithm: RunningAlgorithm,
  { opponent, numGames, bar }: { opponent: string; numGames: number; bar: number },
): Promise<Verdict> {
  const { environment } = algorithm.config as unknown as { environment: { env: string } };
  const source = resolveEnv(environment.env, {});
  const env = await makeRenderableAgents(source);
  const content = await algorithm.getState();
  const names = Object.keys(env.agents);
  const wins = [0, 0];
  let draws = 0;
  for (const [home, agent] of names.entries()) {
    const policyFor = Object.fromEntries(names.map((name) => [name, name === agent ? 'default' : 'script']));
    const policies = { default: {}, script: opponent };
    const config = {
      policies,
      policyFor,
      policiesToTrain: null,
      critic: 'own',
      normalizeValues: false,
      discountBy: 'own-step',
    } as const;
    const cast = await openCast(env, source.id, {
      content,
      path: 'the run',
      config,
      isSelfPlay: false,
      turn: 0,
    });
    for (let seed = home; seed < numGames; seed += 2) {
      const played = await showAgentsEpisode({
        ...{ env, cast, seed, deterministic: true, maxSteps: 10_000 },
        onStep: () => undefined,
      });
      if (played.returns[agent] > 0) wins[home] += 1;
      else if (played.returns[agent] === 0) draws += 1;
    }
  }
  const value = (wins[0] + wins[1]) / numGames;
  const half = numGames / 2;
  const bySeat = names.map((name, s) => `${name} ${(wins[s] / half).toFixed(2)}`).join(', ');
  return { value, isMet: bar === 0.5 ? value > bar : value >= bar, detail: `${bySeat}, ${draws} drawn` };
}

/** Mean return of an agent, greedy. */
export async function judgeCooperation(
  algorithm: RunningAlgorithm,
  { agent, bar }: { agent: string; bar: number },
): Promise<Verdict> {
  const { agents } = await algorithm.evaluate({ numEpisodes: 500, seed: 1_000_000 });
  const value = agents?.[agent]?.returnMean ?? Number.NaN;
  return { value, isMet: value > bar, detail: '' };
}
