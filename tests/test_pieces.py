"""What takes long comes in pieces: the same figures bit for bit, and between two pieces everything is as it was."""

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from vae_core.data import Images
from vae_core.evaluate import final_metrics, iw_bound
from vae_core.inspect.snapshot import SnapshotTaker
from vae_core.metrics.measure import measure
from vae_core.pieces import Pieces, finish, in_pieces
from vae_core.trainer import Trainer


@in_pieces
def count(to: int, by: int = 1) -> Pieces[int]:
    """Counts."""
    total = 0
    while total < to:
        total += by
        yield
    return total


def test_a_function_in_pieces_is_a_function_that_does_them_all() -> None:
    assert count(7) == 7 and count(7, by=3) == 9 and count.__doc__ == "Counts."
    assert len(list(count.pieces(7, by=3))) == 3 and finish(count.pieces(2)) == 2


WORK: dict[str, Callable[[Trainer, Any], Pieces[Any]]] = {
    "final figures": lambda t, model: final_metrics.pieces(model, t.images, t.config, 12, 300),
    "metrics": lambda t, model: measure.pieces(model, t.images.x_test, t.images.y_test, "dynamic", 0, 60),
    "snapshot": lambda t, model: SnapshotTaker(t.config, t.images).take_pieces(model, 3, True),
}


def plain(result: Any) -> Any:
    values = result if isinstance(result, dict) else vars(result)
    return {k: v.tolist() if isinstance(v, np.ndarray) else v for k, v in values.items()}


@pytest.mark.parametrize("what", WORK)
@pytest.mark.parametrize("net", ["mlp", "conv"])
def test_what_happens_between_the_pieces_changes_no_figure(
    what: str, net: str, make_trainer: Callable[..., Trainer]
) -> None:
    """Nor is the run disturbed that trains meanwhile: its copy is looked at."""
    trainer, undisturbed = (make_trainer(net=net, batch_size=16, protocol="dynamic") for _ in range(2))
    for _ in range(3):
        trainer.step()
        undisturbed.step()
    whole = finish(WORK[what](trainer, trainer.model))
    cuts = 0

    def between() -> Pieces[Any]:
        nonlocal cuts
        pieces = WORK[what](trainer, copy.deepcopy(trainer.model))
        while True:
            try:
                next(pieces)
            except StopIteration as end:
                return end.value
            cuts += 1
            assert trainer.model.training and torch.is_grad_enabled()
            if cuts % 4 == 0 and cuts < 20:
                trainer.step()
                undisturbed.step()
            yield

    assert plain(finish(between())) == plain(whole) and cuts >= 3
    assert np.array_equal(trainer.flush(), undisturbed.flush())


def test_the_bound_is_the_same_however_many_images_are_decoded_at_once(
    make_trainer: Callable[..., Trainer], small: Images, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, x = make_trainer(latent_dim=5).model.eval(), small.x_test[:40] / 255
    found = []
    for decoded in (10_000, 320, 33):
        monkeypatch.setattr("vae_core.evaluate.DECODED", decoded)
        found.append(iw_bound(model, x, 24, torch.Generator().manual_seed(1)))
    assert torch.equal(found[0], found[1])  # bit for bit
    torch.testing.assert_close(found[2], found[0])
