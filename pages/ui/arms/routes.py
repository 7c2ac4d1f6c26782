"""What a view fetches once: a decoder's weights, to decode under the pointer, and the images of a map."""

import gzip
import json
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pages.ui.live.socket import step_of
from pages.ui.map_pictures import packed_pictures
from pages.ui.web.encodings import takes_gzip
from vae_core import datasets
from vae_core.data.images import DataError
from vae_core.inspect.snapshot import GRID_LABEL
from vae_core.models import family
from vae_core.models.base import CLASSES
from vae_core.runs import registry
from vae_core.runs.run_record import RunRecord
from vae_core.runs.storage import DECODER, state_file, steps_in

KEPT = {"Cache-Control": "private, max-age=3600"}
WHOLE = "X-Unpacked-Length"
FRESH = {"Cache-Control": "no-store"}  # a later state may be nearer, and a reset begins anew


def arms_routes() -> list[Route]:
    """`/decoder/<run>/<step>`, `/map-images` of MNIST and `/map-images/<data set>`, all as safetensors."""
    maps = [Route(f"/map-images{name}", map_pictures) for name in ("", "/{dataset}")]
    return [Route("/decoder/{run_id}/{step}", decoder), *maps]


async def decoder(request: Request) -> Response:
    """The last kept weights of a run's decoder at or before a step; 404 when there are none."""
    run, step = registry.shared().get(request.path_params["run_id"]), step_of(request)
    body = await run_in_threadpool(decoder_bytes, run, step) if run and step is not None else None
    return _file(body, FRESH)


async def map_pictures(request: Request) -> Response:
    """The test images behind the points of a map, 5,000 at most, in their order; 404 where a set is not here."""
    dataset = request.path_params.get("dataset", "mnist")
    packed = await run_in_threadpool(_map_pictures, dataset)
    return await run_in_threadpool(zipped, request, packed, KEPT if dataset in datasets.built_in() else FRESH)


def decoder_bytes(run: RunRecord, step: int) -> bytes | None:
    """A decoder as a safetensors file: float32, layers named as in its nn.Sequential; metadata: net, config, step.

    Of one that is told a label, also how many there are, and the label of its grid.

    Returns:
        None when no weights are kept at or before that step.
    """
    found = _weights_at(run, step)
    if found is None:
        return None
    path, prefix, at = found
    try:
        with safe_open(path, framework="numpy") as file:
            names = [name for name in file.keys() if name.startswith(prefix)]  # noqa: SIM118
            weights = {name.removeprefix(prefix): file.get_tensor(name).astype(np.float32) for name in names}
    except (OSError, SafetensorError):  # thinned out meanwhile
        return None
    labels = CLASSES if family(run.config.model).has.labels else 0
    told = {"labels": str(labels), "label": str(GRID_LABEL)}
    return save(weights, {"step": str(at), "net": run.config.net, "config": json.dumps(run.config.to_dict())} | told)


def _weights_at(run: RunRecord, step: int) -> tuple[Path, str, int] | None:
    """File, prefix of the decoder's names in it, and the step that it belongs to."""
    kept = [at for at in steps_in(run.states_folder) if at <= step]
    if kept:
        return state_file(run.states_folder, kept[-1]), "model.decoder.", kept[-1]
    shipped = run.folder / DECODER
    return (shipped, "", run.step) if shipped.is_file() and step >= run.step else None


def _map_pictures(dataset: str) -> bytes | None:
    try:
        return packed_pictures(dataset)
    except DataError:
        return None


def zipped(request: Request, packed: bytes | None, headers: dict[str, str]) -> Response:
    """A file that is kept gzip-compressed: so to clients who take it, unpacked to others; 404 where there is none."""
    if packed is None or takes_gzip(request.headers.get("accept-encoding", "")):
        return _file(packed, headers | {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"} | _whole(packed))
    return _file(gzip.decompress(packed), headers | {"Vary": "Accept-Encoding"})


def _whole(packed: bytes | None) -> dict[str, str]:
    """How long it is unpacked, as its last four bytes say: a browser that shows how far it has come counts those."""
    return {} if packed is None else {WHOLE: str(int.from_bytes(packed[-4:], "little"))}


def _file(body: bytes | None, headers: dict[str, str]) -> Response:
    if body is None:
        return Response(status_code=404)
    return Response(body, media_type="application/octet-stream", headers=headers)
