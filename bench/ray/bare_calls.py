"""What Ray's own calls cost, with nothing of Operant in them: `python bare_calls.py ADDRESS NUM_ACTORS ENVIRONMENT`.

A line of JSON asks for rounds: {"arguments": [bytes, ...], "answer": bytes, "rounds": n}. In each every actor is called once, with so many arguments
of these lengths, and answers with a list that says what it is and holds so many bytes. A line says how long each round took, ms. Values are bytes, from 128 kB on
arrays of numpy, as in Operant's bridge. ENVIRONMENT: variables of the actors, JSON.
"""

import json
import os
import sys
import time

import numpy
import ray

ARRAY_BYTES = 128 << 10


def value(length):
    return bytes(length) if length < ARRAY_BYTES else numpy.zeros(length, numpy.uint8)


class Echo:
    def __init__(self):
        self.payload = b""

    def pid(self):
        return os.getpid()

    def answer(self, length, *arguments):
        if length != len(self.payload):
            self.payload = value(length)
        return ["ok", "", 0, self.payload]


def main():
    address, num_actors, environment = sys.argv[1], int(sys.argv[2]), json.loads(sys.argv[3])
    ray.init(address=address, namespace="bare", runtime_env={"env_vars": environment}, log_to_driver=False, logging_level="ERROR")
    make = ray.remote(Echo).options(num_cpus=1, scheduling_strategy="SPREAD")
    actors = [make.remote() for _ in range(num_actors)]
    say([os.getpid(), *ray.get([actor.pid.remote() for actor in actors])])
    for line in sys.stdin:
        asked = json.loads(line)
        length = asked["answer"]
        arguments = [value(each) for each in asked["arguments"]]
        times = []
        for _ in range(asked["rounds"]):
            begin = time.perf_counter()
            references = [actor.answer.remote(length, *arguments) for actor in actors]
            for reference in references:
                assert len(ray.get(reference)[3]) == length
            times.append(1000 * (time.perf_counter() - begin))
            del references, reference
        say(times)


def say(value):
    print(json.dumps(value), flush=True)


if __name__ == "__main__":
    main()
