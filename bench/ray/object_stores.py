"""What lies in the object stores of a cluster: `python object_stores.py ADDRESS`.

Each line that comes in is answered with a line of JSON, a list with an entry for every node. It asks raylets, as `ray memory` does, and is no driver.
"""

import json
import sys

from ray._private.internal_api import get_state_from_address, node_stats

LARGE = 1 << 20  # bytes


def references_of(stats):
    """Who refers to something large. Only processes that live can say so."""
    return [
        {
            "id": held.object_id.hex(),
            "bytes": held.object_size,
            "pid": worker.pid,
            "numLocal": held.local_ref_count,
            "numSubmitted": held.submitted_task_ref_count,
            "isMapped": held.pinned_in_memory,
            "site": held.call_site,
        }
        for worker in stats.core_workers_stats
        for held in worker.object_refs
        if held.object_size >= LARGE
    ]


def look(node):
    stats = node_stats(node["NodeManagerAddress"], node["NodeManagerPort"])
    store = stats.store_stats
    return {
        "node": node["NodeID"],
        "numObjects": store.num_local_objects,
        "numBytes": store.object_store_bytes_used,
        "numPinned": store.num_object_store_primary_copies,
        "references": references_of(stats),
    }


state = get_state_from_address(sys.argv[1])
for _ in sys.stdin:
    print(json.dumps([look(node) for node in state.node_table() if node["Alive"]]), flush=True)
