/** Nim for two: take one to three sticks in turn; who takes the last one wins. One policy learns both seats. */
import { Box, Discrete, type MultiAgentEnv } from '../src/index.ts';

const PLAYERS = ['first', 'second'] as const;

export default ({ numSticks = 21 } = {}): MultiAgentEnv => {
  let sticks = 0;
  let mover = 0;
  const spaces = {
    observationSpace: new Box(0, 1, [numSticks + 1]), // one-hot: how many are left
    actionSpace: new Discrete(3, 1), // 1, 2 or 3
    masksActions: true,
  };
  const look = () => ({
    observations: {
      [PLAYERS[mover]]: Array.from({ length: numSticks + 1 }, (_, k) => (k === sticks ? 1 : 0)),
    },
    actionMasks: { [PLAYERS[mover]]: [1, 2, 3].map((take) => (take <= sticks ? 1 : 0)) },
  });
  return {
    agents: { first: spaces, second: spaces },
    reset({ seed = 0 } = {}) {
      sticks = 1 + (seed % numSticks);
      mover = 0;
      return look();
    },
    step(actions) {
      const [winner, loser] = [PLAYERS[mover], PLAYERS[1 - mover]];
      sticks -= Number(actions[winner]);
      mover = 1 - mover;
      if (sticks > 0) return { ...look(), terminated: false, truncated: false };
      const rewards = { [winner]: 1, [loser]: -1 };
      return { observations: {}, rewards, terminated: true, truncated: false, info: { outcome: rewards } };
    },
    render: () => `${PLAYERS[mover]} to move: ${'|'.repeat(sticks)}`,
  };
};
