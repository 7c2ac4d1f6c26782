"""What the explorer fetches once per model: what it shows first, and the package of its weights and codes."""

from collections.abc import Callable

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from pages.ui.arms.routes import FRESH, KEPT, zipped
from pages.ui.explore.first import packed_first
from pages.ui.explore.package import packed
from pages.ui.explore.sources import Source, find
from pages.ui.explore.weights import NotNumbers
from vae_core.data.images import DataError


def explore_routes() -> list[Route]:
    """`/explore/<shipped model, opened file or run>` as safetensors; the images are those of `/map-images/...`.

    Below it, `/first` is what can be shown before.
    """
    return [Route("/explore/{name}", explore), Route("/explore/{name}/first", first)]


async def explore(request: Request) -> Response:
    """A model's package; 404 when there is none, 409 and a sentence where it or its images cannot be used."""
    return await run_in_threadpool(_answer, request, packed)


async def first(request: Request) -> Response:
    """Its map and one picture; 404 and 409 as of the package."""
    return await run_in_threadpool(_answer, request, packed_first)


def _answer(request: Request, pack: Callable[[Source], bytes | None]) -> Response:
    for _ in range(3):  # while a run trains, a state may go between being found and being read
        source = find(request.path_params["name"])
        if source is None:
            break
        try:
            body = pack(source)
        except (NotNumbers, DataError) as error:
            return PlainTextResponse(str(error), status_code=409, headers=FRESH)
        if body is not None:
            return zipped(request, body, FRESH if source.is_run else KEPT)
    return Response(status_code=404)
