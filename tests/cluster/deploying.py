"""Deployments, which the real controllers make pods of."""

from collections.abc import Iterator
from contextlib import contextmanager

from tests.cluster.cluster import Cluster, Refused, Thing, until


@contextmanager
def deployed(cluster: Cluster, what: Thing) -> Iterator[str]:
    """Until the end of the block; gives the selector of its pods once all three are there."""
    name, namespace = what["metadata"]["name"], what["metadata"]["namespace"]
    chosen = f"deployment={name}"
    deployments = f"/apis/apps/v1/namespaces/{namespace}/deployments"
    cluster.call("POST", deployments, what)
    try:
        until(lambda: len(pods(cluster, namespace, chosen)) == 3)
        yield chosen
    finally:
        cluster.call("DELETE", f"{deployments}/{name}")
        replicas = f"/apis/apps/v1/namespaces/{namespace}/replicasets"
        cluster.call("DELETE", replicas, labelSelector=chosen)
        path = f"/api/v1/namespaces/{namespace}/pods"
        cluster.call("DELETE", path, labelSelector=chosen, gracePeriodSeconds="0")


def pods(cluster: Cluster, namespace: str, selector: str) -> list[Thing]:
    return cluster.items(f"/api/v1/namespaces/{namespace}/pods", labelSelector=selector)


def declare_ready(cluster: Cluster, pod: Thing) -> None:
    """What kubelet would say: nobody runs these pods. One that is gone meanwhile stays gone."""
    meta = pod["metadata"]
    path = f"/api/v1/namespaces/{meta['namespace']}/pods/{meta['name']}/status"
    ready = {"type": "Ready", "status": "True", "lastTransitionTime": meta["creationTimestamp"]}
    try:
        cluster.call("PATCH", path, {"status": {"phase": "Running", "conditions": [ready]}})
    except Refused as refused:
        if refused.status != 404:
            raise
