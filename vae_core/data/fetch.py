"""Bring an image set that does not ship: `python -m vae_core.data.fetch fashion`. Nothing else here asks a network.

torchvision knows the mirrors, shows how far a file has come, and holds it to its checksum.
"""

import sys

from vae_core import datasets
from vae_core.console import OneLineParser, accept_all_letters, say
from vae_core.data.idx_set import Published, how_to_get, read_published
from vae_core.data.images import DataError
from vae_core.data.sets import declared, published_set


def fetch(name: str) -> str:
    """Download a set into DATA, unless its files are here already. Returns where they lie.

    Raises:
        DataError: no mirror answers, or what came is not the published file.
    """
    published = published_set(name)
    if published is None:
        raise DataError(f"{name!r} is nothing to be fetched: name {' or '.join(_fetched())}.")
    try:
        read_published(published, declared(name))
    except DataError:
        _download(published)
        read_published(published, declared(name))
    return str(next(folder for folder in published.folders if folder.is_dir()))


def _download(published: Published) -> None:
    from vae_core.vision import datasets as loaders

    try:
        getattr(loaders, published.loader)(str(datasets.folder()), download=True)
    except (OSError, RuntimeError) as error:  # urllib's errors are OSErrors
        why = " ".join(str(error).split())
        raise DataError(f"{published.loader} cannot be fetched ({why}): {_by_hand(published)}") from None


def _by_hand(published: Published) -> str:
    return how_to_get(published).replace("run `", "when there is a network run `", 1)


def _fetched() -> list[str]:
    return [name for name in datasets.built_in() if published_set(name)]


def main(arguments: list[str]) -> int:
    """Fetch what is named; the exit status, 2 where it cannot be had."""
    accept_all_letters()
    parser = OneLineParser(prog="python -m vae_core.data.fetch", description="Bring an image set that does not ship.")
    parser.add_argument("name", nargs="?", help=f"one of {', '.join(_fetched())}")
    if (name := parser.parse_args(arguments).name) is None:
        parser.error(f"name one of {', '.join(_fetched())}.")
    try:
        say(f"{name} lies in {fetch(name)}; train on it with --dataset {name}")
    except DataError as error:
        say(f"error: {error}", error=True)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
