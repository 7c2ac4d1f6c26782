"""Sets of points of the plane: by name and seed, drawn by hand, as text; and what they refuse."""

import json

import numpy as np
import pytest
import torch

from vae_core import datasets
from vae_core.config import ConfigError, RunConfig
from vae_core.data import load, points, prepare, sets
from vae_core.data.images import DataError
from vae_core.data.points import Points

CPU = torch.device("cpu")
CROSS = [[round(0.1 * i, 3), round(-0.1 * i, 3)] for i in range(-9, 9)]  # 18 points


def read(name: str) -> Points:
    found = load(name, CPU)
    assert isinstance(found, Points)
    return found


@pytest.mark.parametrize(("kind", "radii"), [("ring", [1.2]), ("two-circles", [0.6, 1.5]), ("moons", None)])
def test_a_set_is_a_function_of_its_name(kind: str, radii: list[float] | None) -> None:
    one, other = read(f"{kind}-300-4"), read(f"{kind}-300-5")
    assert one.x_train.shape == (300, 2) and one.x_test.shape == (points.TEST, 2) and one.shape == (2,)
    assert torch.equal(one.x_train, torch.from_numpy(points.generate(kind, 300 + points.TEST, 4)[:300]))
    assert not torch.equal(one.x_train, other.x_train) and read(kind).x_train.shape == (points.TRAIN, 2)
    assert max(x.abs().max() for x in (one.x_train, one.x_test)) <= points.REACH
    if radii:  # the noise along the radius, about the nearest circle
        away = (one.x_train.norm(dim=1)[:, None] - torch.tensor(radii)).abs().min(1).values
        assert (away**2).mean().sqrt() == pytest.approx(points.NOISE, rel=0.15)


def test_half_of_the_moons_and_of_two_circles_lie_on_either_curve() -> None:
    radius = read("two-circles-2000-0").x_train.norm(dim=1)
    assert (radius < 1.05).float().mean() == pytest.approx(0.5, abs=0.05)
    up = torch.from_numpy(points.draw_moons(np.random.default_rng(0).random((500, 2))))
    centres = 1.1 * (torch.tensor([[0.0, 0.0], [1.0, 0.5]]) - torch.tensor([0.5, 0.25]))
    away = (torch.cdist(up, centres.double()) - 1.1).abs()  # half circles of radius 1.1
    assert away.min(1).values.max() < 1e-6 and (away[:, 0] < 1e-6).double().mean() == pytest.approx(0.5, abs=0.08)


def test_names_say_what_they_say() -> None:
    for parts in [("ring", 500, 0), ("moons", 500, 3), ("two-circles", 40, 123), ("ring", 500, 2**31 - 1)]:
        name = points.named(*parts)
        assert points.parts_of(name) == parts and datasets.is_points(name) and RunConfig(dataset=name).dataset == name
    assert points.named("ring") == "ring" and sets.name_of("ring-40-2") == "Ring"
    assert sets.declared("ring-40-2").train == 40 and "seed 2" in sets.declared("ring-40-2").says
    for wrong in ("ring-", "ring-05", "ring-5", "ring-99999", "rings", "drawn-12", "circle-40"):
        assert not datasets.is_points(wrong)
        with pytest.raises(ConfigError, match="is unknown"):
            RunConfig(dataset=wrong)


def test_points_are_data_as_they_are_and_nothing_else_passes() -> None:
    x = read("ring").x_train
    assert prepare(x, "dynamic", torch.Generator()) is x
    for wrong in (x.double(), x[:, :1], x[:0], torch.full((3, 2), torch.nan)):
        with pytest.raises(DataError, match="two finite float32"):
            Points("ring", wrong, torch.zeros(len(wrong)), x, torch.zeros(len(x)))
    with pytest.raises(DataError, match="uint8"):
        prepare(torch.rand(3, 1, 28, 28), "grey", torch.Generator())


def test_drawn_points_are_found_by_what_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    name = points.keep(CROSS)
    assert points.keep(np.array(CROSS) + 1e-5) == name != points.keep(CROSS[::-1])  # to a thousandth; in their order
    found = read(name)
    together = torch.cat([found.x_train, found.x_test])
    assert found.x_test.tolist() == np.array(CROSS[3::6], np.float32).tolist()  # one in six
    assert len(found.x_train) == 15
    assert sorted(together.tolist()) == pytest.approx(np.array(sorted(CROSS), np.float32))
    says = sets.declared(name)
    assert (says.title, says.train, says.test) == ("Drawn points", 15, 3) and sets.name_of(name) == "Drawn points"
    with pytest.raises(DataError, match="not here any more: draw them again"):
        points.drawn(f"drawn-{'0' * 24}")
    file = datasets.find(name)
    assert file is not None
    file.write_text("[[1, 2], [3]]")
    with pytest.raises(DataError, match="cannot be read"):
        points.drawn(name)
    monkeypatch.setattr(points, "KEPT", 2)
    kept = [points.keep([[0.01 * k, 0.0], *CROSS]) for k in range(3)]
    assert [datasets.find(one) is not None for one in kept] == [False, True, True]
    device = torch.device("cpu")
    assert load(kept[1], device) is load(kept[1], device) is load(kept[1], device)  # looked at, it is the same
    newer = points.keep([[0.5, 0.0], *CROSS], used=[kept[1]])
    assert [datasets.find(one) is not None for one in (*kept[1:], newer)] == [True, False, True]
    kept[-1] = newer
    assert json.loads(datasets.find(kept[-1]).read_text())[0] == [0.5, 0.0]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("0.1, 0.2\n1 2 3", "Line 2 holds no point"),
        ("a b", "Line 1 holds no point"),
        ("0 0\n" * 5, "These are 5 points: give from 12"),
        ("", "These are no points"),
        ("0 0\n" * 12 + "0 9", "lies outside the plane: give numbers from −2 to 2"),
        ("0 0\n" * 12 + "nan 0", "lies outside the plane"),
    ],
)
def test_text_that_is_no_points_is_refused_in_a_sentence(text: str, says: str) -> None:
    with pytest.raises(DataError, match=says):
        points.parse(text)


def test_points_are_read_from_text() -> None:
    text = "\n".join(f"{x}, {y}" if k % 2 else f"  {x};{y} \n" for k, (x, y) in enumerate(CROSS))
    assert points.parse(text).tolist() == np.array(CROSS, np.float32).tolist()
