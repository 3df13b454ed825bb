"""PettingZoo's and mpe2's games alone, and trained by Stable-Baselines3: one line of JSON with steps of all agents and their times.

Usage: python zoo_peer.py alone|train tic-tac-toe|connect-four|simple-spread NUM_STEPS

Needs pettingzoo[classic], mpe2, and for `train` stable-baselines3, sb3-contrib and supersuit. Board games: MaskablePPO on one board, as in PettingZoo's
tutorial (its one policy plays both seats, and sees rewards only after its own move); simple_spread: PPO on eight worlds through SuperSuit.
"""

import json
import sys
import time

import numpy as np
from mpe2 import simple_spread_v3
from pettingzoo.classic import connect_four_v3, tictactoe_v3

BOARDS = {"tic-tac-toe": tictactoe_v3, "connect-four": connect_four_v3}
NUM_WORLDS = 8
SETTINGS = dict(n_steps=128, batch_size=256, n_epochs=4, device="cpu", policy_kwargs=dict(net_arch=[64, 64]))


def play_board(module, num_steps):
    env = module.env()
    rng = np.random.default_rng(1)
    env.reset(seed=1)
    for _ in range(num_steps):
        observation, _, terminated, truncated, _ = env.last()
        if terminated or truncated:
            env.reset()
            observation = env.last()[0]
        env.step(int(rng.choice(np.flatnonzero(observation["action_mask"]))))
    return num_steps


def play_spread(num_steps):
    env = simple_spread_v3.parallel_env()
    rng = np.random.default_rng(1)
    count = 0
    env.reset(seed=1)
    while count < num_steps:
        if not env.agents:
            env.reset()
        env.step({agent: int(rng.integers(5)) for agent in env.agents})
        count += 3
    return count


def board_model(module):
    import pettingzoo.utils
    from sb3_contrib import MaskablePPO
    from sb3_contrib.common.wrappers import ActionMasker

    class Board(pettingzoo.utils.BaseWrapper):
        def reset(self, seed=None, options=None):
            super().reset(seed, options)
            self.observation_space = super().observation_space(self.possible_agents[0])["observation"]
            self.action_space = super().action_space(self.possible_agents[0])
            return self.observe(self.agent_selection), {}

        def step(self, action):
            super().step(action)
            return super().last()

        def observe(self, agent):
            return super().observe(agent)["observation"]

        def action_mask(self):
            return super().observe(self.agent_selection)["action_mask"]

    import gymnasium

    class Single(gymnasium.Env):
        metadata = {"render_modes": []}

        def __init__(self):
            self.board = Board(module.env())
            self.board.reset()
            self.observation_space = self.board.observation_space
            self.action_space = self.board.action_space

        def reset(self, seed=None, options=None):
            return self.board.reset(seed)

        def step(self, action):
            return self.board.step(int(action))

        def action_masks(self):
            return self.board.action_mask()

    env = ActionMasker(Single(), lambda single: single.unwrapped.action_masks())
    return MaskablePPO("MlpPolicy", env, **{**SETTINGS, "n_steps": 1024})


def spread_model():
    import supersuit
    from stable_baselines3 import PPO

    env = supersuit.pettingzoo_env_to_vec_env_v1(simple_spread_v3.parallel_env())
    worlds = supersuit.concat_vec_envs_v1(env, NUM_WORLDS, num_cpus=1, base_class="stable_baselines3")
    return PPO("MlpPolicy", worlds, **SETTINGS)


def main():
    mode, game, num_steps = sys.argv[1], sys.argv[2], int(sys.argv[3])
    if mode == "train":
        import torch

        torch.set_num_threads(1)
        model = spread_model() if game == "simple-spread" else board_model(BOARDS[game])
        run = lambda: model.learn(num_steps).num_timesteps  # noqa: E731
    elif game == "simple-spread":
        run = lambda: play_spread(num_steps)  # noqa: E731
    else:
        run = lambda: play_board(BOARDS[game], num_steps)  # noqa: E731
    start, cpu = time.perf_counter(), time.process_time()
    steps = run()
    print(json.dumps(dict(steps=steps, seconds=time.perf_counter() - start, cpu=time.process_time() - cpu)))


if __name__ == "__main__":
    main()
