"""RLlib's PPO with two runners on a Ray that is there: `python rllib_runners.py TASK`, beside ours.ts, which does the same.

A line of JSON once the mean return is there, after which whoever started this looks at the processes; then, after a line of input, a
runner is killed, and a second line says how long it took until both were there again.
"""

import json
import os
import sys
import time
from types import SimpleNamespace

started = time.time()
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../../peers/python"))
import ray
from rllib_peer import build

NUM_RUNNERS = 2


def main():
    task = json.loads(sys.argv[1])
    ray.init(address=task["address"], log_to_driver=False, logging_level="ERROR")
    steps, settings = task["steps"], task["settings"]
    algorithm = build(SimpleNamespace(settings=settings, raw={"numWorkers": NUM_RUNNERS}, steps=steps, seed=task["seed"]))
    ready, env_steps, mean = time.time(), 0, None
    while (mean is None or mean < task["stopReturn"]) and env_steps < steps and time.time() - started < task["limitSeconds"]:
        result = algorithm.train()["env_runners"]
        env_steps, mean = int(result["num_env_steps_sampled_lifetime"]), result.get("episode_return_mean")
    end = time.time()
    group = algorithm.env_runner_group
    runners = group.foreach_env_runner(lambda runner: os.getpid(), local_env_runner=False)
    reached = mean is not None and bool(mean >= task["stopReturn"])
    say(reached=reached, sinceStart=end - started, stepsPerSecond=env_steps / (end - ready), envSteps=env_steps, pids=[os.getpid()] + runners)
    sys.stdin.readline()
    os.kill(runners[0], 9)
    begin = time.time()
    algorithm.train()
    iteration = time.time() - begin
    while group.num_healthy_remote_workers() < NUM_RUNNERS and time.time() - begin < task["limitSeconds"]:
        algorithm.train()
    say(recovery=time.time() - begin, firstIteration=iteration, isBack=bool(group.num_healthy_remote_workers() == NUM_RUNNERS))
    os._exit(0)


def say(**values):
    print("\n" + json.dumps(values), flush=True)


if __name__ == "__main__":
    main()
