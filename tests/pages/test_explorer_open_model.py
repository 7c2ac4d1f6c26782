"""Open a model: somebody's file becomes a model of the explorer, with its figures; what cannot be opened is said."""

import os
import re
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from streamlit.testing.v1 import AppTest

from pages.ui import shipped
from pages.ui.explore import opened, sources
from pages.ui.explore.package import package_bytes
from tests.explored import read
from tests.pages.conftest import checked
from tests.plain_vae import plain_vae, saved
from vae_core.data import Images
from vae_core.evaluate import evaluate_test
from vae_core.foreign import ForeignError, open_bytes


@pytest.fixture
def shelf(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> opened.Shelf:
    """An empty one."""
    own = opened.Shelf(tmp_path / "opened")
    for module in (opened, sources):
        monkeypatch.setattr(module, "shelf", lambda: own)
    return own


@pytest.fixture
def explorer(home: AppTest, shelf: opened.Shelf, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    """The page, with the popover open, nothing chosen yet."""
    from pages.explorer import open_model

    monkeypatch.setattr(open_model, "shelf", lambda: shelf)
    home.switch_page("explorer/page.py")
    home.session_state["explorer open model"] = True
    return checked(home.run())


def give(at: AppTest, name: str, content: bytes, activation: str = "relu") -> AppTest:
    """Choose a file, answer, press Open."""
    checked(at.file_uploader[0].upload(name, content).run())
    at.segmented_control(key="explorer opened activation").set_value(activation)
    return checked(next(button for button in at.button if button.label == "Open").click().run())


def test_a_file_becomes_the_chosen_model_with_its_own_figures(explorer: AppTest, shelf: opened.Shelf) -> None:
    plain = plain_vae(3, 30)
    at = give(explorer, "my vae.pt", saved(plain.state_dict()), "tanh")
    (model,) = shelf.of("tester")
    assert at.selectbox(key="explorer model").value == model.name == at.query_params["model"]
    assert "my vae.pt" in at.selectbox(key="explorer model").options
    ours = open_bytes("x.pt", saved(plain.state_dict()), "tanh")
    found = evaluate_test(ours.model, shipped.images(), ours.config)
    said = "\n".join(caption.value for caption in at.caption)
    numbers = [float(n) for n in re.findall(r"(?:−ELBO|reconstruction|KL) ([\d.]+)", said)]
    assert numbers == pytest.approx([found.neg_elbo, found.terms["nll"], found.terms["kl"]], abs=0.06)
    assert "10,000 grey test images, K = 1" in said and "tanh is computed" in said and "logits" in said
    assert "step" not in at.query_params and "seed" not in said and "epochs" not in said


def test_its_package_has_its_weights_and_codes_and_nothing_of_a_training(shelf: opened.Shelf, small: Images) -> None:
    plain = plain_vae(2, 30, pixels=small.x_train)
    name = shelf.put("ann", "vae.pt", open_bytes("vae.pt", saved(plain.state_dict()))).name
    source = sources.find(name)
    assert source is not None and source in sources.listed("ann") and source not in sources.listed("bob")
    about, arrays = read(package_bytes(source))
    assert not {"seed", "step", "epochs", "beta"} & set(about) and about["shipped"] is False and about["twin"] is None
    assert (about["widths"], about["activation"], about["dims"], about["posterior"]) == ("30", "relu", 2, True)
    assert torch.equal(torch.from_numpy(arrays["model.decoder.2.weight"]), plain.fc4.weight)
    assert arrays["mu"].shape == (5000, 2) and arrays["mu"].std() > 0.05


def test_few_are_kept_and_one_of_the_same_name_gives_way(
    shelf: opened.Shelf, small: Images, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opened, "evaluate_test", lambda model, images, config: evaluate_test(model, small, config))
    model = open_bytes("x.pt", saved(plain_vae(2, 10).state_dict()))
    theirs = shelf.put("bob", "a.pt", model)
    for file in ("a.pt", "b.pt", "b.pt", "c.pt", "d.pt", "e.pt"):
        shelf.put("ann", file, model)
    assert [m.title for m in shelf.of("ann")] == ["e.pt", "d.pt", "c.pt", "b.pt"] and shelf.of("bob") == [theirs]
    folder = theirs.path.parents[1]
    assert len(list(folder.iterdir())) == 5
    monkeypatch.setattr(opened, "MOST_BYTES", 3 * theirs.path.stat().st_size)
    last = shelf.put("cleo", "../<b>f</b>.pt", model)
    assert shelf.find(theirs.name) is None and shelf.find(last.name) is last and len(list(folder.iterdir())) == 3
    assert last.title == "b?.pt"


def test_a_full_disk_and_figures_that_are_no_numbers_are_sentences(
    shelf: opened.Shelf, small: Images, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opened, "evaluate_test", lambda model, images, config: evaluate_test(model, small, config))
    plain = plain_vae(2, 10)
    far = {name: tensor * 1e30 for name, tensor in plain.state_dict().items()}
    with pytest.raises(ForeignError, match="gives no numbers on the test images"):
        shelf.put("ann", "far.pt", open_bytes("far.pt", saved(far)))
    shelf._folder.write_text("a file")  # as good as full
    with pytest.raises(ForeignError, match="cannot be kept"):
        shelf.put("ann", "vae.pt", open_bytes("vae.pt", saved(plain.state_dict())))
    assert shelf.of("ann") == []


@pytest.mark.parametrize(
    ("name", "content", "words", "rows"),
    [
        ("cut.pt", saved(plain_vae(2, 10).state_dict())[:900], "cut.pt is truncated or damaged", 0),
        ("whole.pt", saved(plain_vae(2, 10)), "holds Python objects besides tensors", 0),
        ("other.pt", saved({"![a](//b).weight": torch.ones(3, 3)}), "is no model that we know", 5),
    ],
)
def test_what_cannot_be_opened_is_told_and_the_page_stays(
    explorer: AppTest, shelf: opened.Shelf, name: str, content: bytes, words: str, rows: int
) -> None:
    before = explorer.selectbox(key="explorer model").value
    at = give(explorer, name, content)
    assert [w for w in at.warning if words in w.value and "![" not in w.value]
    assert [len(table.value) for table in at.dataframe] == ([rows] if rows else [])
    assert at.selectbox(key="explorer model").value == before and shelf.of("tester") == []


def test_a_server_that_starts_again_has_them_still(
    shelf: opened.Shelf, small: Images, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(opened, "evaluate_test", lambda model, images, config: evaluate_test(model, small, config))
    plain = plain_vae(2, 10)
    for file in ("a.pt", "b.pt", "c.pt"):
        model = shelf.put("ann", file, open_bytes("x.pt", saved(plain.state_dict()), "tanh"))
    folder = model.path.parents[1]
    assert not [path for path in folder.rglob("*") if b"ann" in (path.read_bytes() if path.is_file() else b"")]
    damaged = shelf.of("ann")[1]
    (damaged.path.parent / "about.json").write_text('{"config": {"net": "transformer"}}')
    for name in ("x", "old"):
        (folder / f".unfinished-{name}").mkdir()
    os.utime(folder / ".unfinished-old", (0, 0))
    again = opened.Shelf(folder)
    assert [path.name for path in folder.glob(".*")] == [".unfinished-x"]  # somebody may be writing that one
    assert [m.title for m in again.of("ann")] == ["c.pt", "a.pt"] and again.of("bob") == []
    assert again.find(model.name) == model and capsys.readouterr().err.count("left out") == 1
    source = sources._of_file(again.of("ann")[0])
    assert torch.equal(torch.from_numpy(read(package_bytes(source))[1]["model.decoder.2.weight"]), plain.fc4.weight)
    again.put("ann", "a.pt", open_bytes("x.pt", saved(plain.state_dict())))
    assert [m.title for m in again.of("ann")] == ["a.pt", "c.pt"]  # the one of before has given way


def test_a_model_of_images_that_are_not_here_is_refused(shelf: opened.Shelf) -> None:
    model = open_bytes("x.pt", saved(plain_vae(2, 10).state_dict()))
    gone = replace(model, config=model.config.with_(dataset="own-" + "0" * 24))
    with pytest.raises(ForeignError, match=r"images that x\.pt was trained on are not here"):
        shelf.put("ann", "x.pt", gone)
