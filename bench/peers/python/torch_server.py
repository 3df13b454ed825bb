"""PPO minibatch updates in PyTorch on demand, so that they can be timed in turns with others.

One line of JSON per question on standard input, one per answer on standard output. Gather by shuffled index, loss, backward,
gradient clip and Adam are included.
"""

import json
import sys
import time

import torch
from torch import nn
from torch_peer import Separate, make_step


class SmallConv(nn.Module):
    """10x10x4 bytes, 16 filters of 3x3, 128 units, 6 actions."""

    shape = (4, 10, 10)

    def __init__(self):
        super().__init__()
        self.trunk = nn.Sequential(
            *(nn.Conv2d(4, 16, 3), nn.ReLU(), nn.Flatten(), nn.Linear(16 * 8 * 8, 128), nn.ReLU())
        )
        self.actor, self.critic = nn.Linear(128, 6), nn.Linear(128, 1)

    def forward(self, x):
        y = self.trunk(x.float())
        return self.actor(y), self.critic(y).squeeze(-1)


def make(network, rows, threads, compiled):
    """A function that runs `count` updates of `rows` rows and gives wall and processor time in microseconds."""
    torch.manual_seed(0)
    model = Separate() if network == "mlp" else SmallConv()
    step = make_step(model, 1e-5, compiled)
    samples = rows * max(2, -(-4096 // rows))
    if network == "mlp":
        observations, actions = torch.randn(samples, 4), 2
    else:
        observations, actions = torch.randint(0, 256, (samples, 4, 10, 10), dtype=torch.uint8), 6
    data = [observations, torch.randint(0, actions, (samples,)), torch.full((samples,), -0.69)]
    data += [torch.randn(samples), torch.randn(samples)]
    order = torch.randperm(samples)

    def update(k):
        indices = order[k * rows % samples :][:rows]
        step(*(column[indices] for column in data))

    def run(count):
        torch.set_num_threads(threads)
        wall, cpu = time.perf_counter(), time.process_time()
        for k in range(count):
            update(k)
        return (time.perf_counter() - wall) * 1e6, (time.process_time() - cpu) * 1e6

    run(3)
    return run


def main():
    runs = {}
    for line in sys.stdin:
        question = json.loads(line)
        command = question["command"]
        reply = {}
        if command == "stop":
            return
        if command == "version":
            reply["version"] = torch.__version__
        elif command == "make":
            names = ("network", "rows", "threads", "compiled")
            try:
                runs[question["id"]] = make(*(question[name] for name in names))
            except Exception as error:  # torch.compile needs a C++ compiler
                reply["error"] = f"{type(error).__name__}: {error}".splitlines()[0][:200]
        else:
            reply["elapsed"], reply["cpu"] = runs[question["id"]](question["count"])
        print(json.dumps(reply), flush=True)


main()
