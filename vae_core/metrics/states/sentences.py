"""The sentences of the states: each says the number on which its name rests."""

import math

from vae_core.metrics.states.case import BEGINNING, NARROWED, SPREAD, Case


def say_diverged(c: Case) -> str:
    f = c.figures
    if c.diverged or not f.finite or f.deviance is None:
        return f"The loss ran away to infinity; these are the last good weights, of step {f.step:,}."
    far = f"{f.deviance:.2g} times as far from perfect copies as one mean image would be"
    return f"Reconstruction {f.terms['nll']:,.0f} nats, {far}; {f.units}."


def say_beginning(c: Case) -> str:
    if not c.figures.step:
        return "Untrained: these are the random first weights."
    made = f"{c.figures.step} {'step' if c.figures.step == 1 else 'steps'} made"
    if c.figures.step >= BEGINNING:
        return f"{made}: {'no unit is active yet' if c.dead else 'prior draws are still one mean image'}."
    return f"{made}: too early to say anything."


def say_never_trained(c: Case) -> str:
    if c.settings.alpha == 0 and c.dead and set(c.figures.terms) == {"nll", "kl"}:
        return (
            f"Codes collapsed ({c.figures.told}): only the KL is left, and nothing pays for telling images apart. "
            "The decoder was never trained."
        )
    return f"Nothing has ever trained the decoder: its pictures are those of its initial weights. {c.figures.told}."


def say_alone(c: Case) -> str:
    alone = f"The decoder stands still, and the KL acts alone; it is down to {c.figures.terms['kl']:.2f} nats"
    return f"{alone}, {c.figures.units}: switch the reconstruction on."


def say_frozen(c: Case) -> str:
    return f"The encoder stands still, and {c.figures.told}."


def say_ignored(c: Case) -> str:
    return f"{c.figures.told}: {_pictures(c)}."


def say_collapse(c: Case) -> str:
    """With its cause, where that is the weight of the KL: doubling alpha is like halving beta."""
    alpha, beta = c.settings.alpha, c.settings.beta
    if beta <= max(alpha, 1) and beta <= 4 * alpha:
        return f"{c.figures.told}: {_pictures(c)}."
    times = beta / alpha if alpha else math.inf
    weight = f"Beta {beta:g}" if alpha == 1 else f"Beta, {times:.3g} times alpha,"
    return f"{weight} has closed every unit ({c.figures.told}): {_pictures(c)}."


def say_plain(c: Case) -> str:
    f = c.figures
    far = "" if f.spread is None else f", and codes spread to a std of {f.spread:.1f}, {f.outside:.0%} outside 3 sigma"
    return f"Without a posterior each image is one point{far}."


def say_kl_off(c: Case) -> str:
    f = c.figures
    assert f.mean_std is not None
    if f.spread is None:
        return f"The posterior std is {f.mean_std:.3f}."
    there = f.spread > SPREAD and f.mean_std < NARROWED
    towards = f"{'' if there else 'not yet '}towards a plain autoencoder"
    return f"Codes have a std of {f.spread:.1f}, the posterior std is {f.mean_std:.3f}: {towards}."


def say_mean_image(c: Case) -> str:
    return f"Draws from the prior differ by {c.figures.variety:.3f} of full scale only: one mean image."


def say_weak(c: Case) -> str:
    far = f"{c.figures.outside:.0%} of the codes lie outside 3 sigma, {c.figures.units}"
    return f"{far}: beta {c.settings.beta:g} hardly holds them."


def say_partial(c: Case) -> str:
    return f"−ELBO {c.figures.neg_elbo:.1f} nats, {c.figures.in_use} of {len(c.figures.active)} latents in use."


def say_learning(c: Case) -> str:
    return f"−ELBO {c.figures.neg_elbo:.1f} nats, {c.figures.units}."


def _pictures(c: Case) -> str:
    return "one mean image for all" if c.one_image else "the pictures do not depend on the input"
