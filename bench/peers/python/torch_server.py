"""PPO minibatch updates in PyTorch on demand, so that they can be timed in turns with others.

One line of JSON per question on standard input, one per answer on standard output. Gather by shuffled index, loss, backward,
gradient clip and Adam are included.
"""

import itertools
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


class Recurrent(nn.Module):
    """A cell of 128 units over two observations for the actor and one for the critic, heads on the cells."""

    def __init__(self, cell):
        super().__init__()
        kind = {"lstm": nn.LSTM, "gru": nn.GRU}[cell]
        self.actor, self.critic = kind(2, 128), kind(2, 128)
        self.actor_head, self.critic_head = nn.Linear(128, 2), nn.Linear(128, 1)

    def forward(self, x):
        """x: [steps, sequences, 2], states of 0 before."""
        logits = self.actor_head(self.actor(x)[0]).flatten(0, 1)
        return logits, self.critic_head(self.critic(x)[0]).flatten()


def make_recurrent(cell, rows, length, threads):
    """As `make`; a minibatch is whole sequences of `length` steps, gathered from a rollout in which they lie one after another."""
    torch.manual_seed(0)
    torch.set_num_threads(threads)
    step = make_step(Recurrent(cell), 1e-5, False)
    sequences = rows // length
    data = [torch.randn(2 * sequences, length, 2), torch.randint(0, 2, (2 * sequences, length))]
    data += [torch.full((2 * sequences, length), -0.69)] + [torch.randn(2 * sequences, length) for _ in range(2)]

    def update():
        chosen = torch.randperm(2 * sequences)[:sequences]
        observations, *others = (column[chosen].transpose(0, 1).contiguous() for column in data)
        step(observations, *(column.flatten() for column in others))

    return timed(update, threads)


def timed(update, threads):
    def run(count):
        torch.set_num_threads(threads)
        wall, cpu = time.perf_counter(), time.process_time()
        for _ in range(count):
            update()
        return (time.perf_counter() - wall) * 1e6, (time.process_time() - cpu) * 1e6

    run(3)
    return run


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

    turns = itertools.count()

    def update():
        indices = order[next(turns) * rows % samples :][:rows]
        step(*(column[indices] for column in data))

    return timed(update, threads)


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
            network, rows, threads = (question[name] for name in ("network", "rows", "threads"))
            try:
                runs[question["id"]] = (
                    make_recurrent(network, rows, question["length"], threads)
                    if network in ("lstm", "gru")
                    else make(network, rows, threads, question["compiled"])
                )
            except Exception as error:  # torch.compile needs a C++ compiler
                reply["error"] = f"{type(error).__name__}: {error}".splitlines()[0][:200]
        else:
            reply["elapsed"], reply["cpu"] = runs[question["id"]](question["count"])
        print(json.dumps(reply), flush=True)


main()
