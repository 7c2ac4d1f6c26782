"""Where a run trains: in the engine of its device or, on a cluster, in one of several, each known by its place."""

from collections.abc import Collection, Mapping

from vae_core import devices
from vae_core.config import RunConfig

Open = Mapping[str, Collection[str]]  # ids of the runs that each engine has, by its place


class DevicePlaces:
    """One engine for each device of this machine, whose name is its place."""

    def note_room(self, engines: int) -> None:
        """For how many engines a cluster has room."""

    def of_device(self, device: str, engines: Open) -> str:
        return device

    def of_run(self, config: RunConfig, together: Collection[str], engines: Open) -> str:
        """
        Raises:
            ConfigError: its device is not there.
        """
        return devices.resolve(config.device).type

    def too_few_for(self, engines: Open) -> bool:
        return False


class ClusterPlaces(DevicePlaces):
    """As many engines as the cluster has room for, each begun when those that are there have runs."""

    def __init__(self) -> None:
        self._room = 1  # as far as it is known

    def note_room(self, engines: int) -> None:
        self._room = engines

    def of_device(self, device: str, engines: Open) -> str:
        """The cluster has its own devices: any engine will do."""
        return next(iter(engines), _name(1))

    def of_run(self, config: RunConfig, together: Collection[str], engines: Open) -> str:
        """Where runs are that train in step with it, else where there are the fewest.

        Args:
            together: ids of these runs, its own among them.
        """
        for place, runs in engines.items():
            if not set(together).isdisjoint(runs):
                return place
        least = min(engines, key=lambda place: len(engines[place]), default="")
        if least and (not engines[least] or len(engines) >= self._room):
            return least
        return next(name for number in range(1, len(engines) + 2) if (name := _name(number)) not in engines)

    def too_few_for(self, engines: Open) -> bool:
        """Whether one of these engines finds no machine any more, and others can have its runs."""
        return 1 < len(engines) > self._room


def _name(number: int) -> str:
    return f"cluster {number}"
