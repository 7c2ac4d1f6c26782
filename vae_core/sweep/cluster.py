"""Cells trained as tasks of a Ray cluster, on its GPUs or else its cores."""

from collections.abc import Generator, Mapping

from vae_core.config import RunConfig
from vae_core.runs.ray_link import connect
from vae_core.sweep.cell import Outcome, train_cell

RETRIES = 8  # of a cell whose worker or node died


def train_all(cells: Mapping[str, RunConfig], address: str) -> Generator[tuple[str, Outcome], None, None]:
    """Train every cell; each comes when it is done, also where nodes of the cluster die meanwhile.

    Args:
        address: HOST:PORT of a cluster, or "local" for one of this machine, which ends with the sweep.
    Raises:
        ClusterError: Ray is not installed, or there is no cluster.
    """
    ray = connect(address, "--ray")
    try:
        on_gpu = next(iter(cells.values())).device in ("auto", "cuda") and ray.cluster_resources().get("GPU", 0) > 0
        task = ray.remote(train_cell).options(num_cpus=1, num_gpus=int(on_gpu), max_retries=RETRIES)
        pending = {task.remote(config): name for name, config in cells.items()}
        while pending:
            (done,), _ = ray.wait(list(pending), num_returns=1)
            try:
                outcome = ray.get(done)
            except ray.exceptions.RayError as error:
                outcome = Outcome({}, f"Ray gave it up: {str(error).splitlines()[0]}")
            yield pending.pop(done), outcome
            del done  # and with it what the cluster keeps of it
    finally:
        ray.shutdown()
