"""Five questions: one at a time, right or wrong, a score; and each figure against an oracle of its own."""

import json
from typing import Any

import numpy as np
import pytest
import torch
from streamlit.testing.v1 import AppTest
from torch.distributions import Bernoulli, Normal, kl_divergence

from pages.check import figures
from pages.check.questions import QUESTIONS
from pages.ui.passage.view import shown_number
from pages.ui.shipped import ARMS_FOLDER, CHECKPOINTS, PLANE, checkpoint, images, title_of
from tests.pages.conftest import checked
from tests.pages.linked import shown
from vae_core.runs.registry import Registry


def press(at: AppTest, key: str) -> AppTest:
    return checked(at.button(key=key).click().run())


def said(at: AppTest) -> str:
    return "\n".join(m.value for m in at.markdown)


def numbers(text: str) -> list[float]:
    return [float(part.replace("−", "-").replace(",", "")) for part in text.replace(" → ", " ").split() if part != "+"]


def test_one_question_at_a_time_each_with_its_figure_and_a_score(registry: Registry) -> None:
    at = shown("check", {})
    for number, question in enumerate(QUESTIONS, start=1):
        assert f"{number} of 5." in said(at) and not at.metric
        chosen = question.right if number != 4 else 1  # one of five is wrong
        at = press(at, f"option {number}.{chosen}")
        assert ("**Wrong.**" if number == 4 else "**Right.**") in said(at)
        assert {m.label: m.value for m in at.metric} == question.figure().values
        assert all(at.button(key=f"option {number}.{k}").disabled for k in (1, 2, 3))
        assert {k: at.button(key=f"option {number}.{k}").proto.icon for k in (1, 2, 3)} == {
            k: ":material/check:" if k == question.right else ":material/close:" if k == chosen else ""
            for k in (1, 2, 3)
        }
        assert [caption.value for caption in at.caption] == [question.figure().says]
        assert str(at.query_params[f"a{number}"][0]) == str(chosen)
        at = press(at, "onward")
    assert at.metric[0].value == "4 of 5"
    assert said(at).count(":material/check:") == 4 and said(at).count(":material/close:") == 1
    again = shown("check", {name: str(value[0]) for name, value in at.query_params.items()})
    assert again.metric[0].value == "4 of 5"
    at = checked(next(b for b in at.button if b.label == "Again").click().run())
    assert "1 of 5." in said(at) and not {name for name in at.query_params if name.startswith("a")}


def test_what_was_not_answered_is_not_wrong_and_is_not_told(registry: Registry) -> None:
    at = shown("check", {"question": "6", "a1": str(QUESTIONS[0].right), "a2": "1"})
    assert at.metric[0].value == "1 of 2"
    assert said(at).count(":material/close:") == 1 and said(at).count("Not answered.") == 3
    assert all(question.options[question.right - 1] not in said(at) for question in QUESTIONS[2:])


def test_the_right_answers_are_those_that_measurement_gives() -> None:
    """Each option that can be false is, by figures of torch.distributions, history and cards; the key is not asked."""
    history = np.genfromtxt(CHECKPOINTS / PLANE / "history.csv", delimiter=",", names=True, dtype=None, encoding=None)
    test = history[history["split"] == "test"]
    gap = numbers(figures.gap_of_the_prior().values["gap"])[0]
    sample, mean = sum(terms(1)), sum(terms(0))
    full, none = (card(name)["test"] for name in (figures.FULL, figures.NO_KL))
    comes = "Less" if mean < sample - 0.5 else "More" if mean > sample + 0.5 else "−ELBO,"
    begins = (
        "The codes begin" if test["kl"][-1] > test["kl"][0] and test["neg_elbo"][-1] < test["neg_elbo"][0] else "wrong",
        "Yes" if gap < 1 else "No: the gap is another",
        comes,
        "No: the noise stays" if none["mean_std"] > 0 and none["nll"] < full["nll"] else "No: without the KL nothing",
        f"A VAE with a beta of {figures.mean_over_pixels().values['beta']}.",
    )
    for question, start in zip(QUESTIONS, begins, strict=True):
        matching = [k for k, option in enumerate(question.options, start=1) if option.startswith(start)]
        assert matching == [question.right], question.text


def test_each_caption_says_of_how_many_images_by_which_model_with_which_seed() -> None:
    ships = f"{title_of(PLANE)}, seed {checkpoint(PLANE).config.seed}."
    digit = int(images().y_test[shown_number(None)])
    begins = (
        "5,000 test images",
        f"Test image {shown_number(None)}",
        "1,000 test images, K = 1",
        "Mean std",
        "1,000 test",
    )
    for question, start in zip(QUESTIONS, begins, strict=True):
        says = question.figure().says
        assert says.startswith(start) and (says.endswith(ships) or question is QUESTIONS[3]), says
    assert str(digit) in QUESTIONS[1].figure().says and "two short runs of seed 0" in QUESTIONS[3].figure().says


def test_each_question_has_three_options_and_one_sentence_of_why() -> None:
    assert len({q.right for q in QUESTIONS}) == 3  # not always the same place
    for question in QUESTIONS:
        assert len(set(question.options)) == 3 and question.text.count("?") == 1
        assert question.why.count(". ") == 0 and question.why.endswith(".")


def test_the_kl_rises_and_the_sum_falls_as_the_history_says() -> None:
    rows = np.genfromtxt(CHECKPOINTS / PLANE / "history.csv", delimiter=",", names=True, dtype=None, encoding=None)
    last = rows[rows["split"] == "test"][-1]
    (_, step), (kl, kl_end), (sum_, sum_end) = map(numbers, figures.rising_kl().values.values())
    assert step == last["step"] and kl < 0.1 and kl_end == pytest.approx(last["kl"], abs=0.1)
    assert sum_ > 500 and sum_end == pytest.approx(last["neg_elbo"], abs=1.0)


def test_with_the_prior_as_q_the_kl_is_zero_and_the_gap_is_not() -> None:
    """log p(x) by importance sampling from the encoder's q, widened; the ELBO by draws of the prior."""
    model, number = checkpoint(PLANE).model, shown_number(None)
    x = images().x_test[number : number + 1].float() / 255
    generator = torch.Generator().manual_seed(3)

    def log_likelihood(z: torch.Tensor) -> torch.Tensor:
        return Bernoulli(logits=model.decode(z), validate_args=False).log_prob(x).sum((1, 2, 3))

    with torch.no_grad():
        mu, log_var = model.encode(x)
        q = Normal(mu, 1.5 * (log_var / 2).exp())
        z = q.loc + q.scale * torch.randn(20_000, 2, generator=generator)
        weight = log_likelihood(z) + (Normal(0.0, 1.0).log_prob(z) - q.log_prob(z)).sum(1)
        log_p = weight.logsumexp(0).item() - np.log(len(z))
        elbo = log_likelihood(torch.randn(20_000, 2, generator=generator)).mean().item()
    values = {name: numbers(text)[0] for name, text in figures.gap_of_the_prior().values.items()}
    assert values["KL(q ‖ prior)"] == 0
    assert values["log p(x)"] == pytest.approx(log_p, abs=0.7)
    assert values["ELBO"] == pytest.approx(elbo, abs=4) and values["gap"] == pytest.approx(log_p - elbo, abs=5)
    assert values["gap"] > 100


def terms(noise: float) -> tuple[float, float]:
    """nll and KL of the first 1,000 test images by torch.distributions; noise: 1 for a sample, 0 for its mean."""
    model = checkpoint(PLANE).model
    x = images().x_test[: figures.IMAGES].float() / 255
    with torch.no_grad():
        mu, log_var = model.encode(x)
        q = Normal(mu, (log_var / 2).exp())
        z = mu + noise * q.scale * torch.randn(mu.shape, generator=torch.Generator().manual_seed(5))
        nll = -Bernoulli(logits=model.decode(z), validate_args=False).log_prob(x).sum((1, 2, 3))
        return nll.mean().item(), kl_divergence(q, Normal(0.0, 1.0)).sum(1).mean().item()


def test_the_mean_in_place_of_a_sample_comes_out_too_low() -> None:
    sample, mean = (numbers(text)[0] for text in figures.mean_for_a_sample().values.values())
    assert sample == pytest.approx(sum(terms(1)), abs=0.3)  # another noise
    assert mean == pytest.approx(sum(terms(0)), abs=0.06)
    assert mean < sample - 0.5


def card(name: str) -> dict[str, Any]:
    return json.loads((CHECKPOINTS / ARMS_FOLDER / name / "card.json").read_text())


def test_without_the_kl_the_noise_shrinks_and_the_codes_spread() -> None:
    """The std against the cards' over all test images. The KL, by its formula, needs codes at least so far out."""
    std, far, std_0, far_0 = (float(text) for text in figures.noise_without_kl().values.values())
    for shown_std, name in ((std, figures.FULL), (std_0, figures.NO_KL)):
        config, test = card(name)["config"], card(name)["test"]
        assert config["seed"] == 0 and config["beta"] == (0 if name == figures.NO_KL else 1)
        assert shown_std == pytest.approx(test["mean_std"], abs=0.0015)
    for shown_far, shown_std, name in ((far, std, figures.FULL), (far_0, std_0, figures.NO_KL)):
        # 2 KL = |mu|² + Σ (std² − 1 − log std²); log is concave: the mean of its logs is below that of the mean std
        most = 2 * card(name)["test"]["kl"] + 2 + 4 * np.log(shown_std)
        assert 0.7 * most < shown_far**2 < 1.1 * most
    assert std_0 < std / 5 and far_0 > 3 * far


def test_a_mean_over_pixels_is_a_beta_of_784() -> None:
    """The gradient of the loss with the mean is 1/784 of that of nll + 784 KL, and of no other beta's."""
    values = figures.mean_over_pixels().values
    nll, kl = terms(1)
    summed, mean = numbers(values["sum: nll + KL"]), numbers(values["mean: nll + KL"])
    assert summed == pytest.approx([nll, kl], abs=0.3) and mean == pytest.approx([nll / 784, kl], abs=0.01)
    logits = torch.linspace(-2, 2, 784, requires_grad=True)
    mu = torch.tensor([0.5, -1.0], requires_grad=True)
    x = torch.linspace(0, 1, 784)
    cost = torch.nn.functional.binary_cross_entropy_with_logits

    def gradient(reduction: str, beta: float) -> torch.Tensor:
        loss = cost(logits + mu.sum(), x, reduction=reduction) + beta * 0.5 * mu.square().sum()
        return torch.cat([g.flatten() for g in torch.autograd.grad(loss, [logits, mu])])

    assert torch.allclose(784 * gradient("mean", 1.0), gradient("sum", float(values["beta"])), rtol=1e-4, atol=1e-6)
