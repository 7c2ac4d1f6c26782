"""The prior over code maps: a distribution by enumeration, its masks by perturbation, and its command."""

import itertools
import json
import math
from pathlib import Path

import pytest
import torch
from torch import Tensor

from vae_core import checkpoints, code_prior, models
from vae_core.checkpoints import CheckpointError
from vae_core.config import RunConfig
from vae_core.data import Images
from vae_core.models.parts.code_prior import CodePrior

CPU = torch.device("cpu")
VQ_CONFIG = RunConfig(model="vq", net="conv", latent_dim=3, codebook_size=8, device="cpu")


def prior_of(size: int, shape: tuple[int, int]) -> CodePrior:
    """In float64, its weights far enough from 0 that the codes of a map hang together."""
    torch.manual_seed(size)
    made = CodePrior(size, shape, width=6, layers=2).double()
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.normal_(0, 0.5)
    return made.eval()


@pytest.fixture
def all_maps() -> Tensor:
    """(81, 2, 2): every map of three codes."""
    return torch.tensor(list(itertools.product(range(3), repeat=4))).view(-1, 2, 2)


def test_the_probabilities_of_all_maps_sum_to_one(all_maps: Tensor) -> None:
    prior = prior_of(3, (2, 2))
    p = (-prior.neg_log_prob(all_maps)).exp()
    assert p.sum().item() == pytest.approx(1, abs=1e-12) and p.max() > 5 * p.mean()


def test_each_factor_is_the_conditional_of_the_whole(all_maps: Tensor) -> None:
    """The chain rule: what a place's logits say is what the joint of all 81 maps says, given the codes before it."""
    prior = prior_of(3, (2, 2))
    p = (-prior.neg_log_prob(all_maps)).exp()
    flat = all_maps.flatten(1)
    factors = prior(all_maps).softmax(1).flatten(2)  # (81, 3, 4)
    for n, codes in enumerate(flat):
        for place in range(4):
            before = (flat[:, :place] == codes[:place]).all(1)
            joint = torch.stack([p[before & (flat[:, place] == k)].sum() for k in range(3)])
            assert torch.allclose(factors[n, :, place], joint / joint.sum(), atol=1e-12)


def test_no_logit_sees_its_own_code_or_a_later_one() -> None:
    """Another code at any place of a 7 × 7 map changes no logit up to there, and some logit after it."""
    prior = prior_of(5, (7, 7))
    codes = torch.randint(5, (1, 7, 7), generator=torch.Generator().manual_seed(0))
    before = prior(codes).flatten(2)
    for place in range(49):
        other = codes.clone()
        other.view(-1)[place] = (other.view(-1)[place] + 1) % 5
        moved = (prior(other).flatten(2) - before).abs().amax((0, 1))  # (49,)
        assert not moved[: place + 1].any()
        assert place == 48 or moved[place + 1 :].any()


def test_draws_come_as_often_as_the_probabilities_say(all_maps: Tensor) -> None:
    prior, count = prior_of(3, (2, 2)), 20_000
    p = (-prior.neg_log_prob(all_maps)).exp().detach()
    drawn = prior.sample(count, torch.Generator().manual_seed(1)).flatten(1)
    which = (drawn * torch.tensor([27, 9, 3, 1])).sum(1).bincount(minlength=81)
    chi_square = ((which - count * p).square() / (count * p)).sum().item()
    assert chi_square < 80 + 4 * math.sqrt(160)  # 80 degrees of freedom: four standard deviations


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, small: Images) -> Path:
    """A checkpoint with an untrained model, whose codebook is spread over its z_e."""
    made, model = tmp_path_factory.mktemp("vq"), models.build(VQ_CONFIG)
    with torch.no_grad():
        places = model.get_submodule("encoder")(small.x_train[:50].float() / 255).movedim(1, -1).flatten(0, 2)
        model.codebook.copy_(places[torch.randperm(len(places), generator=torch.Generator().manual_seed(0))[:8]])
    card = {"config": VQ_CONFIG.to_dict(), "test": {"nll": 1.0}}
    checkpoints.save(made, model, card, [])
    return made


def test_the_command_learns_saves_and_says_what_it_reaches(
    folder: Path, small: Images, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(code_prior, "load", lambda name, device: small)
    options = ["--steps", "15", "--seed", "3", "--half", "--device", "cpu"]
    assert code_prior.main(["--checkpoint", str(folder), *options]) == 0
    printed = capsys.readouterr().out
    found = checkpoints.load(folder)
    entry = found.card["prior"]
    assert entry["command"].endswith("--steps 15 --seed 3 --half") and entry["steps"] == 15
    test = entry["test"]
    assert test["uniform_bits"] == 49 * 3 and test["prior_bits"] < 49 * 3 and "147.0 bits" in printed
    prior = code_prior.load_prior(found)
    assert prior is not None
    x = small.x_test.float() / 255
    with torch.no_grad():  # by the definition, place by place
        codes = found.model.quantise_images(x)
        log_p = prior(codes).movedim(1, -1).log_softmax(-1).gather(-1, codes[..., None]).flatten(1).sum(1)
        pixels = found.model.decode_map(codes).double()
    nll = -(x * pixels.sigmoid().log() + (1 - x) * (-pixels).sigmoid().log()).flatten(1).sum(1)
    assert test["prior_nats"] == pytest.approx(-log_p.mean().item(), rel=1e-4)
    assert test["prior_bits"] == pytest.approx(-log_p.mean().item() / math.log(2), rel=1e-4)
    assert test["neg_log_p_at_most"] == pytest.approx((nll - log_p).mean().item(), rel=1e-4)
    again = code_prior.learn(found, small, 15, 3, CPU, half=True)[0]
    assert all(torch.equal(a, b) for a, b in zip(again.parameters(), prior.parameters(), strict=True))


def test_what_cannot_be_used_is_said_in_a_sentence(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plain = RunConfig(device="cpu")
    checkpoints.save(tmp_path / "vae", models.build(plain), {"config": plain.to_dict()}, [])
    for where, why in ((tmp_path / "vae", "has no code maps"), (tmp_path / "none", "cannot be read")):
        assert code_prior.main(["--checkpoint", str(where)]) == 2
        assert why in capsys.readouterr().err
    with pytest.raises(SystemExit):
        code_prior.main(["--checkpoint", str(folder), "--steps", "-3"])
    found = checkpoints.load(folder)
    bare = json.loads((folder / "card.json").read_text())
    bare.pop("prior", None)
    assert code_prior.load_prior(checkpoints.Checkpoint(found.model, found.config, bare, folder)) is None
    for damage in (b"", b"no tensors"):
        (tmp_path / "prior.safetensors").write_bytes(damage)
        with pytest.raises(CheckpointError, match=r"prior\.safetensors is truncated"):
            code_prior.load_prior(checkpoints.Checkpoint(found.model, found.config, bare | {"prior": {}}, tmp_path))
