"""Ray Serve places replicas of `operant serve`, watches them and replaces those that die; clients ask the replicas themselves, not Ray's proxy.

    OPERANT_SERVE_TOKEN=... python ray_serve_replicas.py /models/cart-pole --replicas 4

A request through Ray's proxy takes milliseconds, one to a replica tens of microseconds, so there is no proxy. Where the replicas are is told in a line whenever it
changes, `replicas URL URL ...`: for a balancer, or for clients that ask one of them after the other.
"""
import argparse
import os
import subprocess
import time
import urllib.request

import ray
from ray import serve

SILENT_S = 30  # without a word for so long it is gone
COMMAND = os.environ.get("OPERANT", "npx operant").split()


@ray.remote(num_cpus=0)
class Addresses:
    """Where the replicas are: each says so again while it is well."""

    def __init__(self):
        self.seen = {}

    def add(self, url):
        self.seen[url] = time.monotonic()

    def all(self):
        return sorted(url for url, at in self.seen.items() if time.monotonic() - at < SILENT_S)


@serve.deployment(health_check_period_s=5)
class Replica:
    def __init__(self, policy, addresses):
        self.addresses = addresses
        host = ray.util.get_node_ip_address()
        # Beyond its machine it wants a token, which comes from the environment.
        command = [*COMMAND, "serve", "--policy", policy, "--host", host, "--port", "0"]
        self.server = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
        self.url = next((line.split(",")[0].strip() for line in self.server.stderr if line.startswith("http")), None)
        if self.url is None:
            raise RuntimeError(f"operant serve ended with {self.server.wait()}")

    def check_health(self):
        """Ray calls it every few seconds; where it throws, the replica is replaced."""
        with urllib.request.urlopen(f"{self.url}/health/ready", timeout=5) as answer:
            if answer.status != 200:
                raise RuntimeError(f"{self.url} answered {answer.status}")
        self.addresses.add.remote(self.url)

    def __del__(self):
        self.server.terminate()  # it answers what it has, and closes


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("policy")
    parser.add_argument("--replicas", type=int, default=2)
    given = parser.parse_args()
    token = {"env_vars": {"OPERANT_SERVE_TOKEN": os.environ["OPERANT_SERVE_TOKEN"]}}
    address = os.environ.get("RAY_ADDRESS")
    ray.init(address, runtime_env=token, **({"include_dashboard": False} if address is None else {}))
    serve.start(proxy_location="Disabled")
    addresses = Addresses.remote()
    # Reserve the cores that its processes take: one, and one more for each of `--workers`.
    serve.run(Replica.options(num_replicas=given.replicas, ray_actor_options={"num_cpus": 1}).bind(given.policy, addresses))
    told = None
    while True:
        urls = ray.get(addresses.all.remote())
        if urls != told:
            print("replicas", *urls, flush=True)
        told = urls
        time.sleep(1)


if __name__ == "__main__":
    main()
