"""Stable-Baselines3 among several agents, as bench/agents/zoo_peer.py has it. Steps are those of agents."""

import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../agents"))

import torch
from task import Task, answer
from zoo_peer import BOARDS, board_model, spread_model


def main():
    task = Task()
    torch.set_num_threads(1)
    game = task.raw["game"]
    model = board_model(BOARDS[game]) if game in BOARDS else spread_model()
    ready, begin, cpu = task.since_start(), time.perf_counter(), time.process_time()
    steps = model.learn(task.steps).num_timesteps
    seconds, cpu_seconds = time.perf_counter() - begin, time.process_time() - cpu
    answer(seconds=seconds, cpuSeconds=cpu_seconds, ready=ready, sinceStart=task.since_start(), envSteps=steps)


if __name__ == "__main__":
    main()
