"""The VQ-VAE against its definition: nearest codes, the gradient straight through, distances, the codebook's use."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from tests.command_line import card_of, rows_of, run_main
from tests.trained import steps
from vae_core import checkpoints, models
from vae_core.codebook import usage
from vae_core.config import ConfigError, RunConfig
from vae_core.data import Images
from vae_core.inspect.snapshot import take_snapshot
from vae_core.models.vq import PATIENCE, VQ
from vae_core.runs.run_record import RunRecord
from vae_core.runs.snapshot_file import read_snapshot
from vae_core.runs.storage import frame_file
from vae_core.trainer import Trainer

VQ_CONFIG = RunConfig(model="vq", net="conv", latent_dim=3, codebook_size=8, batch_size=100, device="cpu")
NO_EPS = torch.empty(0)


@pytest.fixture
def model() -> VQ:
    """In float64 and evaluation mode, where nothing is restarted, its codebook as far apart as its z_e are."""
    made: Any = models.build(VQ_CONFIG).double().eval()
    with torch.no_grad():
        x = torch.rand(20, 1, 28, 28, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
        made.codebook.copy_(made.encoder(x).movedim(1, -1).flatten(0, 2)[:: 20 * 49 // 8][:8])
    return made


@pytest.fixture
def x() -> Tensor:
    return torch.rand(4, 1, 28, 28, dtype=torch.float64, generator=torch.Generator().manual_seed(2))


def test_each_place_takes_the_nearest_vector(model: VQ, x: Tensor) -> None:
    """Against the brute-force distances of torch.cdist, image by image and place by place."""
    z_e, codes = model.encoder(x), model.quantise_images(x)
    assert codes.shape == (4, 7, 7) and len(codes.unique()) > 2
    for image in range(4):
        for row in range(7):
            for column in range(7):
                here = z_e[image, :, row, column]
                distances = torch.cdist(here[None], model.codebook)[0]
                code = int(codes[image, row, column])
                assert distances[code] == distances.min()
                assert torch.equal(model.look_up(codes)[image, :, row, column], model.codebook[code])


def test_the_terms_are_what_they_are_called(model: VQ, x: Tensor) -> None:
    out = model(x, NO_EPS)
    z_e, z_q = model.encoder(x), model.look_up(model.quantise_images(x))
    apart = torch.stack([F.mse_loss(a, b, reduction="sum") for a, b in zip(z_e, z_q, strict=True)])
    assert torch.allclose(out.terms["codebook"], apart) and torch.allclose(out.terms["commitment"], apart)
    log_p = torch.distributions.Bernoulli(logits=model.decoder(z_q), validate_args=False).log_prob(x)
    assert torch.allclose(out.terms["nll"], -log_p.flatten(1).sum(-1))
    assert torch.allclose(out.logits, model.decode_map(model.quantise_images(x)))


def test_the_gradient_goes_straight_through(model: VQ, x: Tensor) -> None:
    """Of the loss with respect to z_e, at 12 of its numbers, by central differences of what it is defined to be: the
    decoder's nll as a function of z_q, there where z_q is, and 0.25 of the commitment with z_q held."""
    z_e = model.encoder(x).detach()
    z_q = model.look_up(model.quantise_images(x)).detach()
    found = gradient_of_z_e(model, x)

    def nll(at: Tensor) -> float:
        return model.nll(model.decoder(at), x).sum().item()

    def commitment(at: Tensor) -> float:
        return 0.25 * (at - z_q).square().sum().item()

    generator = torch.Generator().manual_seed(3)
    for place in torch.randint(z_e.numel(), (12,), generator=generator).tolist():
        step = torch.zeros_like(z_e)
        step.view(-1)[place] = 1e-5
        slope = (nll(z_q + step) - nll(z_q - step) + commitment(z_e + step) - commitment(z_e - step)) / 2e-5
        assert found.flatten()[place].item() == pytest.approx(slope, rel=1e-5, abs=1e-7)


def gradient_of_z_e(model: VQ, x: Tensor) -> Tensor:
    """Of the weighted loss, summed over the batch, as a backward pass of the model gives it."""
    caught: list[Tensor] = []
    handle = model.encoder.register_forward_hook(lambda module, args, z_e: z_e.register_hook(caught.append) and None)
    terms = model(x, NO_EPS).terms
    sum(weight * terms[name].sum() for name, weight in VQ.TERMS.items()).backward()
    handle.remove()
    return caught[0]


def test_each_term_moves_its_own_side(model: VQ, x: Tensor) -> None:
    """nll: encoder and decoder. codebook: the codebook, by 2 Σ (e − z_e). commitment: the encoder."""
    moved: dict[str, set[str]] = {}
    for term in VQ.TERMS:
        model.zero_grad()
        model(x, NO_EPS).terms[term].sum().backward()
        moved[term] = {n.split(".")[0] for n, p in model.named_parameters() if p.grad is not None and p.grad.any()}
        if term == "codebook":
            z_e, codes = model.encoder(x).movedim(1, -1), model.quantise_images(x)
            wanted = [2 * (e - z_e[codes == k]).sum(0) for k, e in enumerate(model.codebook)]
            assert torch.allclose(model.codebook.grad, torch.stack(wanted))  # type: ignore[arg-type]
    assert moved == {"nll": {"encoder", "decoder"}, "codebook": {"codebook"}, "commitment": {"encoder"}}


def test_the_use_of_a_codebook_by_hand() -> None:
    """Codes 0, 1, 2, 3 in the shares 1/2, 1/4, 1/8, 1/8: 1.75 bits, so a perplexity of 2^1.75; one code: 1."""
    codes = torch.tensor([[[0, 0, 0, 0], [1, 1, 2, 3]]])
    assert usage(codes, 10) == {"perplexity": pytest.approx(2**1.75), "used": 4}
    assert usage(torch.full((3, 2, 2), 7), 10) == {"perplexity": 1.0, "used": 1}
    assert usage(torch.arange(10).view(1, 2, 5), 10) == {"perplexity": pytest.approx(10.0), "used": 10}


def test_a_vector_that_nothing_chooses_is_moved_to_an_image(x: Tensor) -> None:
    """And not before its time, nor in evaluation mode, nor where the codebook does not learn."""
    vq: Any = models.build(VQ_CONFIG).double()
    with torch.no_grad():
        vq.codebook[5] = 1e3
    for training, learns in ((False, True), (True, False)):
        vq.train(training).set_trainable({"codebook": float(learns)})
        for _ in range(PATIENCE + 1):
            vq(x, NO_EPS)
        assert vq.codebook[5, 0] == 1e3 and not vq.unused.any()
    vq.set_trainable({"codebook": 1.0})
    for _ in range(PATIENCE - 1):
        vq(x, NO_EPS)
    assert vq.codebook[5, 0] == 1e3
    vq(x, NO_EPS)
    places = vq.encoder(x).movedim(1, -1).flatten(0, 2)
    assert torch.cdist(vq.codebook[5:6], places).min() < 1e-12 and 5 in vq.quantise_images(x)


def test_what_it_has_not_cannot_be_asked_for() -> None:
    for values, why in (
        ({"net": "mlp"}, "set net to conv"),
        ({"likelihood": "gaussian"}, "set likelihood to bernoulli"),
        ({"beta": 4.0}, "has no KL term"),
        ({"codebook_size": 1}, "from 2 to 256"),
    ):
        with pytest.raises(ConfigError, match=why):
            models.check(VQ_CONFIG.with_(**values))
    with pytest.raises(ConfigError, match="The model vae has no codebook_size"):
        models.check(RunConfig(codebook_size=32))


def test_it_goes_on_bit_for_bit(make_trainer: Callable[..., Trainer]) -> None:
    """Also with what is counted of unused vectors."""
    settings = VQ_CONFIG.to_dict()
    one, other = make_trainer(**settings), make_trainer(**settings)
    steps(one, 3)
    kept = one.state()
    assert kept["model.unused"].any()
    other.restore(kept)
    assert (steps(one, 3) == steps(other, 3)).all()
    assert all(torch.equal(a, b) for a, b in zip(one.state().values(), other.state().values(), strict=True))


def test_a_snapshot_shows_code_maps_and_their_use(small: Images) -> None:
    trainer = Trainer(VQ_CONFIG, small)
    steps(trainer, 2)
    taken = take_snapshot(trainer, measured=True)
    assert taken.neg_elbo is None and taken.metrics is None and not taken.kl_dims.size and not taken.mu.size
    assert not len(taken.prior_draws) and not taken.grid.size
    trainer.model.eval()
    ten = small.x_test[small.one_per_class()].float() / 255
    assert (taken.code_maps == trainer.model.quantise_images(ten).numpy()).all()
    counts = trainer.model.quantise_images(small.x_test.float() / 255).flatten().bincount(minlength=8)
    p = (counts / counts.sum()).double()
    assert taken.usage["used"] == (counts > 0).sum()
    assert taken.usage["perplexity"] == pytest.approx(torch.distributions.Categorical(p).perplexity().item())


def test_the_command_line_trains_and_saves_it(tmp_path: Path, small_data: Images, capsys: Any) -> None:
    options = "--model vq --net conv --latent-dim 3 --codebook-size 8 --epochs 1 --batch-size 500 --device cpu --half"
    assert run_main(*options.split(), "--film", "--frames", "2", "--out", str(tmp_path / "vq")) == 0
    printed = capsys.readouterr().out
    assert "squared distance, no nats" in printed and "perplexity" in printed and "ELBO" not in printed
    card = card_of(tmp_path / "vq")
    assert {"nll", "codebook", "commitment", "perplexity", "used"} <= set(card["test"])
    assert not {"neg_elbo", "kl", "active_units"} & set(card["test"])
    assert "--codebook-size 8" in card["command"] and "--half" in card["command"]
    loaded = checkpoints.load(tmp_path / "vq").model
    with torch.no_grad():
        out = loaded(small_data.x_test.float() / 255, NO_EPS)
    assert out.terms["nll"].mean().item() == pytest.approx(card["test"]["nll"], rel=1e-5)
    (row,) = rows_of(tmp_path / "vq", "test")
    assert float(row["perplexity"]) >= 1 and row["used"] == str(int(row["used"]))
    run = RunRecord.load(tmp_path / "vq")
    assert run.columns["test"] == ("step", "nll", "codebook", "commitment", "perplexity", "used")
    frame = read_snapshot(frame_file(run.film_folder, 4))
    assert frame.code_maps.shape == (10, 7, 7) and frame.usage["used"] == card["test"]["used"]
    assert math.isfinite(run.test.since(-1)[-1].sum())
