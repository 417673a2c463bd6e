"""An upgrade reaches running pods when they are rolled; the release's own notes say how."""

import shlex

from tests.cluster.cluster import Cluster, until
from tests.cluster.deploying import declare_ready, deployed, pods
from tests.cluster.pedkai import deployment, pod, sidecars
from tests.cluster.releases import Helm, installed


def told_command(notes: str) -> list[str]:
    """The one that lists stale pods, as a shell would read it."""
    _, _, after = notes.partition("older than this release:")
    text = after.strip().partition("\n\n")[0].partition("\n  #")[0]
    lines = text.replace("\\\n", " ").splitlines()
    return shlex.split(lines[0])


def test_the_notes_of_a_release_tell_which_pods_are_stale_and_rolled_they_are_not(
    cluster: Cluster, helm: Helm, own_namespace: str
) -> None:
    values = {"inject": {"namespaces": [own_namespace]}, "image": {"tag": "1"}}
    with (
        installed(helm, "roll", values),
        deployed(cluster, deployment(own_namespace, "app")) as own,
    ):
        notes = helm.upgrade("roll", {**values, "image": {"tag": "2"}})
        command = told_command(notes)
        assert command[:3] == ["kubectl", "get", "pods"]

        def stale() -> list[str]:
            lines = cluster.kubectl(*command[1:], "--output=name").splitlines()
            mine = {f"pod/{one['metadata']['name']}" for one in pods(cluster, own_namespace, own)}
            return [line for line in lines if line in mine]

        assert len(stale()) == 3
        until(lambda: "bss-sidecar:2" in repr(cluster.would_admit(pod(own_namespace))))
        cluster.kubectl("rollout", "restart", "deployment/app", "--namespace", own_namespace)

        def rolled() -> bool:
            """Kubelet's part of a roll is played here: a new pod becomes ready."""
            now = pods(cluster, own_namespace, own)
            for one in now:
                if one["status"]["phase"] == "Pending":
                    declare_ready(cluster, one)
            return len(now) == 3 and not stale()

        until(rolled)
        images = {sidecars(one)[0]["image"] for one in pods(cluster, own_namespace, own)}
        assert images == {"bss-sidecar:2"}
