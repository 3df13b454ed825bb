"""Ray, as RLlib's peers start it: set before it is imported, with the driver process alone and a small object store."""

import logging
import os

os.environ["RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO"] = "0"
os.environ["RAY_AUTH_MODE"] = "disabled"

import ray


def start_ray(num_cpus=None):
    """The small object store keeps Ray from claiming a third of the memory; `num_cpus`: what it may place, where that is more than there are."""
    ray.init(
        logging_level=logging.ERROR,
        log_to_driver=False,
        include_dashboard=False,
        num_cpus=num_cpus or os.cpu_count(),
        object_store_memory=128 * 2**20,
        _node_ip_address="127.0.0.1",
    )
