"""What runs are called, and how they differ."""

from pages.ui.shipped import PLANE
from vae_core.runs.run_record import SHIPPED, RunRecord

READ_ON = {  # for every named state the section of the ELBO page that explains it
    "diverged": ("elbo?section=likelihood", "the weight of the reconstruction"),
    "beginning": ("elbo?section=evidence", "what training is after"),
    "decoder never trained": ("elbo?section=code", "what each term trains"),
    "posterior collapse": ("elbo?section=kl", "what the KL asks for"),
    "encoder ignores x": ("elbo?section=kl", "what the KL measures"),
    "reconstruction off": ("elbo?section=derivation", "why the bound has two terms"),
    "encoder frozen": ("elbo?section=code", "what each term trains"),
    "plain autoencoder": ("elbo?section=reparameterise", "why z is drawn"),
    "KL off": ("elbo?section=bound", "the bound you can see"),
    "mean image": ("elbo?section=likelihood", "the weight of the reconstruction"),
    "weak KL": ("elbo?section=bound", "the bound you can see"),
    "partial collapse": ("elbo?section=kl", "what the KL asks for"),
    "training": ("elbo?section=evidence", "what a bound would be a bound on"),
    "learning": ("elbo?section=derivation", "three ways to the bound"),
}
SHORT = {
    "latent_dim": "latents",
    "learning_rate": "lr",
    "batch_size": "batch",
    "warmup_steps": "warm-up",
    "warmup_cycles": "warm-up cycles",
    "free_bits": "free bits",
    "samples": "K",
    "corruption": "noise",
    "net": "network",
    "widths": "layers",
    "protocol": "pixels",
}


def name(run: RunRecord, runs: list[RunRecord]) -> str:
    """ "run 2, branch of run 1 at 812", or "shipped run". `runs`: all of the visitor's, newest first."""
    if run.visitor == SHIPPED:
        return "the shipped run" if run.run_id == PLANE else f"the shipped run {run.run_id}"
    if run not in runs:
        return f"another run, {run.run_id[:6]}"
    number = _number(run, runs)
    parent = next((r for r in runs if run.parent and r.run_id == run.parent.run_id), None)
    if run.parent is None:
        return f"run {number}"
    whose = f" of run {_number(parent, runs)}" if parent else ""
    return f"run {number}, branch{whose} at step {run.parent.step:,}"


def differences(run: RunRecord, other: RunRecord) -> list[str]:
    """Settings in which `run` differs from `other`, then what was changed on its way: ["beta 4", "beta 4 → 1 at …"]."""
    mine, theirs = run.config.to_dict(), other.config.to_dict()
    settings = [f"{SHORT.get(k, k)} {v}" for k, v in mine.items() if v != theirs[k]]
    begun = run.parent.step if run.parent else -1
    return settings + [mark.text for mark in run.marks if mark.step >= begun]


def label_among(run: RunRecord, runs: list[RunRecord], own: list[RunRecord]) -> str:
    """In a list of runs: the name, and its settings that are not those of all the others."""
    configs = [other.config.to_dict() for other in runs]
    mine = run.config.to_dict()
    settings = [f"{SHORT.get(k, k)} {v}" for k, v in mine.items() if any(config[k] != v for config in configs)]
    return ": ".join([name(run, own), *([", ".join(settings[:4])] if settings else [])])


def label(run: RunRecord, shown: RunRecord, runs: list[RunRecord]) -> str:
    """A legend: the name, and what differs from the run that is shown."""
    return ": ".join([name(run, runs), ", ".join(differences(run, shown)[:3]) or "same settings"])


def _number(run: RunRecord, runs: list[RunRecord]) -> int:
    return len(runs) - runs.index(run)
