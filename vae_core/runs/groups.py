"""Arms in step: what a group may hold, and what a branch of an arm is called."""

from collections.abc import Sequence
from dataclasses import replace

from vae_core import devices, models
from vae_core.config import ConfigError, RunConfig
from vae_core.runs.run_record import Arm

ARMS = 5  # in a group at most


def check_arms(arms: Sequence[tuple[str, RunConfig]]) -> None:
    """Refuse arms that cannot train in step.

    Raises:
        ConfigError: a device is not there; no arms or too many; two of one name; configs that cannot be
            in step, or that their family cannot use.
    """
    names = [name for name, _ in arms]
    if not 1 <= len(arms) <= ARMS:
        raise ConfigError(f"Choose one to {ARMS} arms.")
    if len(set(names)) < len(names):
        raise ConfigError("Two arms have the same name: give each its own.")
    for setting in ("seed", "batch_size", "epochs", "device", "dataset"):
        if len({getattr(config, setting) for _, config in arms}) > 1:
            raise ConfigError(f"Arms in step share their {setting.replace('_', ' ')}: give all the same.")
    devices.resolve(arms[0][1].device)
    for _, config in arms:
        models.check(config)


def branch_arm(parent: Arm, step: int, names: Sequence[str]) -> Arm:
    """The place of an arm's branch in the parent's group, with a name of its own.

    Args:
        names: of the arms that the group has.
    Raises:
        ConfigError: the group is full.
    """
    if len(names) >= ARMS:
        raise ConfigError(f"{ARMS} arms are the most: take one away first.")
    name = first = f"{parent.name}, branch at {step}"
    number = 1
    while name in names:
        number += 1
        name = f"{first} ({number})"
    return replace(parent, name=name)
