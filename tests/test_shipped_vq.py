"""The VQ-VAE that ships: its card's figures computed again, its film, and its package for the browser."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from pages.ui import shipped
from pages.ui.explore import sources
from pages.ui.explore.code_package import code_package_bytes
from pages.ui.explore.sources import twin_of
from pages.ui.explore.weights import NotNumbers
from pages.ui.map_pictures import pictures_of
from tests.explored import made_run, read
from tests.node_runner import node_runner
from vae_core import code_prior
from vae_core.checkpoints import Checkpoint
from vae_core.config import RunConfig
from vae_core.data import Images
from vae_core.evaluate import evaluate_test
from vae_core.inspect.snapshot import map_images
from vae_core.runs.registry import Registry
from vae_core.runs.run_record import RunRecord
from vae_core.runs.snapshot_file import read_snapshot
from vae_core.runs.storage import frame_file

NAME = "mnist-vq"
FOLDER = shipped.CHECKPOINTS / NAME


@pytest.fixture(scope="module")
def found() -> Checkpoint:
    return shipped.checkpoint(NAME)


def test_its_card_says_what_it_reaches(found: Checkpoint, mnist: Images) -> None:
    """Over all 10,000 test images, the model's own figures and those with the prior."""
    again, card = evaluate_test(found.model, mnist, found.config).to_dict(), found.card["test"]
    for name in ("nll", "codebook", "commitment", "perplexity"):
        assert card[name] == pytest.approx(again[name], rel=1e-4)
    assert card["used"] == again["used"] == 64 and card["perplexity"] > 30
    prior = code_prior.load_prior(found)
    assert prior is not None
    with_prior, said = code_prior.measure(prior, found, mnist), found.card["prior"]["test"]
    for name in ("prior_bits", "prior_nats", "nll", "neg_log_p_at_most"):
        assert said[name] == pytest.approx(with_prior[name], rel=1e-4)
    assert said["nll"] == pytest.approx(card["nll"], rel=1e-4) and said["uniform_bits"] == 49 * 6
    readme = (shipped.CHECKPOINTS / "README.md").read_text(encoding="utf-8")
    with_codes = f"≤ {said['neg_log_p_at_most']:.1f} ± 0.3 nats"
    for value in (f"{card['nll']:.1f} ± 0.1 nats", with_codes, f"{said['prior_bits']:.1f} ± 0.2 bits"):
        assert value in readme


def test_it_is_small_and_its_film_shows_code_maps() -> None:
    assert sum(path.stat().st_size for path in FOLDER.rglob("*") if path.is_file()) < 1_500_000
    run = RunRecord.load(FOLDER)
    assert len(run.film) == 24 and run.final is not None and run.final["used"] == 64
    frames = [read_snapshot(frame_file(run.film_folder, step)) for step in (run.film[0], run.film[-1])]
    assert [len(np.unique(frame.code_maps)) > 20 for frame in frames] == [False, True]
    assert frames[1].usage["perplexity"] == pytest.approx(run.final["perplexity"], rel=0.02)


def test_the_package_holds_code_maps_draws_and_what_decodes_them(found: Checkpoint, tmp_path: Path) -> None:
    """Read by the format's own reader; three of its maps decoded by the browser's code as by torch."""
    source = sources.find(NAME)
    assert source is not None and twin_of(source) is None
    body = code_package_bytes(source)
    about, arrays = read(body)
    assert about["prior"] == found.card["prior"]["test"] and about["usage"]["used"] == 64
    some = [0, 1, 4_999]
    x = map_images(shipped.images())[0][some].float() / 255
    assert (arrays["codes"][some] == found.model.quantise_images(x).numpy()).all()
    counts = np.bincount(arrays["codes"].ravel(), minlength=64)
    assert np.allclose(arrays["shares"], counts / counts.sum())
    assert arrays["prior_codes"].shape == arrays["uniform_codes"].shape == (20, 7, 7)
    prior = code_prior.load_prior(found)
    assert prior is not None
    nats = [prior.neg_log_prob(torch.from_numpy(arrays[f"{of}_codes"]).long()).mean() for of in ("prior", "uniform")]
    assert nats[0] < 100 < 200 < nats[1]  # its own draws are as probable as images, uniform codes are not
    maps = np.concatenate([arrays["codes"][some], arrays["prior_codes"][:2]]).reshape(-1, 49)
    run = node_runner(tmp_path, "lib/tensors", "net/codes")
    decoded = run(
        "const { arrays } = tensors.readTensors(file()); const model = Object.fromEntries(Object.entries(arrays)"
        ".filter(([name]) => name === 'codebook' || name.startsWith('model.')));"
        "const decode = codes.codeDecoderOf(model); print(given.map((map) => Array.from(decode(map))));",
        maps.tolist(),
        body or b"",
    )
    with torch.no_grad():
        wanted = found.model.mean_image(found.model.decode_map(torch.from_numpy(maps).long().view(-1, 7, 7)))
    assert np.abs(np.array(decoded) - wanted.flatten(1).numpy()).max() < 1e-4


def test_a_run_has_a_package_without_a_prior(
    fake_registry: Registry, small: Images, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = RunConfig(model="vq", net="conv", latent_dim=3, codebook_size=8, batch_size=100, device="cpu")
    pixels, labels = map_images(small)
    few = replace(pictures_of("mnist"), pixels=pixels, labels=torch.from_numpy(labels))
    monkeypatch.setattr(sources, "pictures_of", lambda dataset: few)
    run, trainer = made_run(config, small, tmp_path)
    fake_registry._runs.put(run)
    source = sources.find(run.run_id)
    assert source is not None
    about, arrays = read(code_package_bytes(source))
    assert about["prior"] is None and "prior_codes" not in arrays and arrays["uniform_codes"].max() < 8
    assert np.allclose(arrays["codebook"], trainer.model.codebook.detach().numpy())
    with torch.no_grad():
        trainer.model.codebook[3] = torch.nan
    save_file(trainer.state(), source.path)
    with pytest.raises(NotNumbers, match="choose another model"):
        code_package_bytes(source)


@pytest.mark.parametrize(
    ("raw", "wanted"),
    [
        (None, ["image", 0, []]),
        ({"of": "prior", "index": 19, "changes": [[48, 63], [0, 0]]}, ["prior", 19, [[48, 63], [0, 0]]]),
        ({"of": "prior", "index": 20, "changes": [[49, 1], [1, 64], [-1, 2], "x", [1]]}, ["prior", 0, []]),
        ({"of": "constructor", "index": 1e9, "changes": "all"}, ["image", 0, []]),
    ],
)
def test_what_a_link_says_comes_out_harmless(raw: object, wanted: list[object], tmp_path: Path) -> None:
    run = node_runner(tmp_path, "explore/codes/state")
    found = run("const { of, index, changes } = state.cleanCodes(given, 64, 5000); print([of, index, changes]);", raw)
    assert json.loads(json.dumps(found)) == wanted


def test_changes_of_a_map(tmp_path: Path) -> None:
    """The last choice at a place counts; the code that was there is no change; arrow keys stay on the map."""
    run = node_runner(tmp_path, "explore/codes/state", "explore/codes/map")
    found = run(
        "const base = new Array(49).fill(5); let now = [];"
        "for (const [at, code] of [[3, 1], [3, 2], [10, 7], [10, 5]]) now = state.withChange(now, base, at, code);"
        "const codes = state.changed(base, now);"
        "const keys = [[0, 'ArrowLeft'], [0, 'ArrowDown'], [48, 'ArrowRight'], [24, 'ArrowUp'], [24, 'x']];"
        "print([now, codes[3], codes[10], base[3], keys.map(([at, key]) => map.placeAfter(at, key))]);"
    )
    assert found == [[[3, 2]], 2, 5, 5, [0, 7, 48, 17, None]]
