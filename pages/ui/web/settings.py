"""What the environment says about the ways in: behind which proxies the server stands, and in whose frames."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from streamlit import config

from pages.ui.web.origins import origin_of
from vae_core.runs.log import logger

ORIGINS: Final = "ELBO_ROOM_ORIGINS"
FRAMES: Final = "ELBO_ROOM_FRAMES"
# Scheme, host and port, nothing else: it goes into headers.
_PLAIN = re.compile(r"(?P<scheme>https?://)(?P<star>\*\.)?(?P<rest>([a-z0-9_.-]+|\[[0-9a-f:.]+\])(:\d+)?)/?")


@dataclass(frozen=True)
class WebSettings:
    """Read once, when the server starts.

    origins: addresses under which the pages are opened, beside the one that requests name as their Host.
    frames: sites whose pages may show ours in a frame; without any, cookies and uploads stay as strict as they are.
    """

    origins: tuple[str, ...] = ()
    frames: tuple[str, ...] = ()

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> "WebSettings":
        """From ELBO_ROOM_ORIGINS and ELBO_ROOM_FRAMES; an address that is none is named on stderr and left out."""
        return cls(_addresses(environment, ORIGINS), _addresses(environment, FRAMES, starred=True))

    def hand_to_streamlit(self) -> None:
        """Streamlit's own checks follow: now, and whenever it reads its settings again."""
        self._set_options()
        config.on_config_parsed(self._set_options, force_connect=True)

    def _set_options(self) -> None:
        if self.origins:
            there = config.get_option("server.corsAllowedOrigins")
            config.set_option("server.corsAllowedOrigins", [*there, *(o for o in self.origins if o not in there)])
        if self.frames:  # its token needs a cookie, which a frame may not have: OwnOrigins guards uploads without one
            config.set_option("server.enableXsrfProtection", False)


def _addresses(environment: Mapping[str, str], name: str, starred: bool = False) -> tuple[str, ...]:
    """Addresses between spaces or commas, as browsers name origins, each once; starred: also of all subdomains."""
    found: list[str] = []
    for asked in re.split(r"[\s,]+", environment.get(name, "").strip(" \t\n,")):
        parts = _PLAIN.fullmatch(asked.lower())
        origin = origin_of(parts["scheme"] + parts["rest"]) if parts and (starred or not parts["star"]) else None
        if parts and origin:
            found.append(origin.replace("://", f"://{parts['star'] or ''}", 1))
        elif asked:
            logger.warning(
                f"{name} names {asked!r}, which is no address such as https://lab.example.org; it is left out."
            )
    return tuple(dict.fromkeys(found))
