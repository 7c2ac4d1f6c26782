"""What the address of a page holds, declared once: read, checked, kept in the session, written, and what fails said.

A page lists its settings and makes an Address of them (pages/<page>/settings.py). What a link says and cannot be had
is named in one sentence, and the rest is shown. A value at its default is left out of the address.
"""

import json
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from pages.ui import notices
from pages.ui.lecture import bar
from pages.ui.words import quoted

MOST = 2**31 - 1  # of seeds and of what is counted
_ON_SHOW = "page on show"  # in the session: the page that the visitor sees
_KEPT = 20  # addresses of its own that a page remembers


@dataclass(frozen=True)
class Setting:
    """One thing that an address holds.

    Attributes:
        name: in the address. default: what holds where the address says nothing; None: nothing.
        key: where it stands in the session, if not under the names of its page and its own; None: the page keeps it in
            a way of its own (`Address.open`, `Address.write`).
        first: what a visit without a link begins with, where that is not the default. An address that says something
            else and not this means the default, as it did before there was a `first`; so it is always written.
        misfit: why a value that could be had does not fit to the rest, "" if it does.
    """

    name: str
    default: Any
    key: str | Callable[[], str] | None = field(default="", kw_only=True)
    first: Any = field(default=None, kw_only=True)
    misfit: Callable[[Any], str] = field(default=lambda value: "", kw_only=True)

    def read(self, text: str) -> Any:
        """The value that a text means.

        Raises:
            ValueError: there is none that can be had; the message says so and ends without a full stop.
        """
        raise NotImplementedError

    def write(self, value: Any) -> str:
        """The text of a value, as short as `read` gives it back exactly."""
        if isinstance(value, float):
            return short if float(short := f"{value:g}") == value else repr(value)
        return str(int(value)) if isinstance(value, bool) else str(value)


@dataclass(frozen=True)
class Choice(Setting):
    """One of a few: a collection (a mapping has the labels, too), or what a function finds."""

    choices: Collection[Any] | Callable[[], Collection[Any]]

    def offered(self) -> Collection[Any]:
        return self.choices() if callable(self.choices) else self.choices

    def read(self, text: str) -> Any:
        offered = {self.write(value): value for value in self.offered()}
        kind = int if isinstance(self.default, bool) else type(self.default)
        same = self.write(_number(kind, text))  # "4.0" is 4
        if same not in offered:
            raise ValueError(f"{self.name} {quoted(text)} is not offered here: choose {', '.join(offered)}")
        return offered[same]


@dataclass(frozen=True)
class Number(Setting):
    """A number between two, or one of a few others; a whole one, if the two are."""

    low: float
    high: float
    others: tuple[float, ...] = ()

    def read(self, text: str) -> Any:
        value = _number(type(self.low), text)
        if value is None or not (self.low <= value <= self.high or value in self.others):  # NaN neither
            whole = "whole number" if isinstance(self.low, int) else "number"
            raise ValueError(
                f"{self.name} {quoted(text)} is no {whole} from {self.write(self.low)} to {self.write(self.high)}"
            )
        return value


@dataclass(frozen=True)
class Named(Setting):
    """A name that is looked up. `says`: what it is, if it is not found; {} is what was asked for."""

    found: Callable[[str], Any]
    says: str

    def read(self, text: str) -> Any:
        if not self.found(text):
            raise ValueError(self.says.format(quoted(text, 40)))
        return text


@dataclass(frozen=True)
class Subject(Named):
    """What the page is about. Where it is not found, nothing else is shown in its place: see gone.py."""


@dataclass(frozen=True)
class Several(Named):
    """Some of those that are found by their names, or none of them."""

    most: int = 20

    def read(self, text: str) -> list[str]:
        names = list(dict.fromkeys(text.split(","))) if text else []
        if len(names) > self.most or not all(self.found(name) for name in names):
            raise ValueError(self.says.format(quoted(text, 40)))
        return names

    def write(self, value: Collection[str]) -> str:
        return ",".join(value)


@dataclass(frozen=True)
class Part(Setting):
    """A part of what a component in the browser shows, as JSON; the component makes it whole and harmless."""

    def read(self, text: str) -> dict[str, Any]:
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            value = None
        if not isinstance(value, dict) or not _is_small(value):
            raise ValueError(f"its part '{self.name}' cannot be read")
        return value

    def write(self, value: dict[str, Any]) -> str:
        return json.dumps(value or None, separators=(",", ":"))


class Address:
    """All that the address of one page holds."""

    def __init__(self, page: str, *settings: Setting, prefix: str | None = None) -> None:
        """
        Args:
            page: its folder. settings: in the order in which they are read.
            prefix: of the settings' names in the session; that of the page, if left out.
        """
        self.page, self.settings = page, {setting.name: setting for setting in settings}
        self.prefix = f"{page} " if prefix is None else prefix
        self._missing = f"missing on {page}"  # in the session: what is said of a subject that is not here
        self._own = f"addresses of {page}"  # in the session: those that the page wrote, and the last that it read

    def default(self, name: str) -> Any:
        return self.settings[name].default

    def first(self, name: str) -> Any:
        """What a visit without a link begins with."""
        setting = self.settings[name]
        return setting.default if setting.first is None else setting.first

    def key(self, name: str) -> str:
        """Where a setting stands in the session state."""
        key = self.settings[name].key
        return key() if callable(key) else key or f"{self.prefix}{name}"

    def get(self, name: str) -> Any:
        return st.session_state.get(self.key(name), self.default(name))

    def kept(self, name: str) -> dict[str, Any]:
        """A widget's key; its value survives a change of page."""
        return {"key": self.key(name), "persist_state": "session"}

    def number(self, name: str) -> dict[str, Any]:
        """The same for the widget of a number, with its limits."""
        setting = self.settings[name]
        assert isinstance(setting, Number)
        return {**self.kept(name), "min_value": setting.low, "max_value": setting.high}

    def prepare(self) -> None:
        """Defaults go through the session state, so that a link can set a widget without a quarrel."""
        for name, setting in self.settings.items():
            if setting.key == "" and setting.default is not None:
                default = setting.default if st.query_params else self.first(name)
                st.session_state.setdefault(self.key(name), list(default) if isinstance(default, tuple) else default)

    def open(self, adopt: Callable[[dict[str, Any]], list[str]] = lambda values: []) -> None:
        """Defaults; and on a session's first run of the page, and where a link was followed, what the address says.

        Args:
            adopt: called then with all values of the address that hold, also those that the page keeps itself (key
                None); returns what else does not hold.
        """
        if st.session_state.pop(bar.NEW, False):
            self._begin_anew()
        self.prepare()
        if not self._is_new():
            return
        values, problems = {}, []
        self.do_without()
        for name in (name for name in self.settings if name in st.query_params):
            try:
                values[name] = self._take(name, st.query_params[name])
            except ValueError as error:
                if isinstance(self.settings[name], Subject):
                    st.session_state[self._missing] = str(error)
                else:
                    problems.append(str(error))
        problems += adopt(values)
        if problems:
            notices.put(self.page, f"This link does not hold in full: {'; '.join(problems)}. The rest is shown.")

    def _begin_anew(self) -> None:
        """A scene is shown as its link says, whatever was on the page before; what is trained stays."""
        for name, setting in self.settings.items():
            if setting.key == "":
                st.session_state.pop(self.key(name), None)
        self.ask_again()

    def missing(self) -> str:
        """What is to be said of the page's subject, if the address names one that is not here."""
        return str(st.session_state.get(self._missing, ""))

    def do_without(self) -> None:
        """Callback: show the page without the subject that was asked for."""
        st.session_state.pop(self._missing, None)

    def ask_again(self) -> None:
        """Callback: read the address once more."""
        st.session_state.pop(self._own, None)

    def write(self, **values: Any) -> None:
        """Put what is on the page into its address; what stands at its default is left out.

        Args:
            values: of settings that are not in the session, or not as they are on the page; None is left out.
        """
        values = {name: self.get(name) for name, setting in self.settings.items() if setting.key is not None} | values
        wanted = {
            name: text
            for name, setting in self.settings.items()
            if values.get(name) is not None
            and ((text := setting.write(values[name])) != setting.write(setting.default) or setting.first is not None)
        }
        wanted |= bar.in_address()
        own = [known for known in st.session_state.get(self._own, []) if known != wanted]  # each once
        st.session_state[self._own] = [*own[-_KEPT:], wanted]
        if dict(st.query_params) != wanted:
            st.query_params.from_dict(wanted)

    def _take(self, name: str, text: str) -> Any:
        """Read a setting, and put it where it is kept.

        Raises:
            ValueError: see Setting.read.
        """
        setting = self.settings[name]
        value = setting.read(text)
        if why := setting.misfit(value):
            raise ValueError(why)
        if setting.key is not None:
            st.session_state[self.key(name)] = value
        return value

    def _is_new(self) -> bool:
        """Whether the address is to be read: on the first run of a session, and later, where the page did not write it.

        A browser that has not heard of the last address still tells the one before. So while the visitor stays, all
        that the page wrote are its own; of an earlier visit only the last one is.
        """
        state, asked = st.session_state, dict(st.query_params)
        own = state.get(self._own, [])
        if state.get(_ON_SHOW) != self.page:
            own = own[-1:]
        is_new = self._own not in state or (bool(asked) and asked not in own)
        state[_ON_SHOW], state[self._own] = self.page, [*own, asked] if is_new else own
        return is_new


def _number(kind: type, text: str) -> Any:
    """A number from its text; None, if it is none."""
    try:
        return kind(text)
    except ValueError:
        return None


def _is_small(value: Any, depth: int = 8) -> bool:
    """Whether a browser can take it: not nested without end, and no number that is none there."""
    if isinstance(value, (dict, list)):
        return depth > 0 and all(
            _is_small(v, depth - 1) for v in (value.values() if isinstance(value, dict) else value)
        )
    return not isinstance(value, (int, float)) or abs(value) < 1e300  # NaN and infinity are not
