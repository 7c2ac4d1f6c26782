"""What a class follows by: the line above the lecturer's run, and the link that is handed on."""

import html

import segno
import streamlit as st

from pages.ui.component import declare
from pages.ui.lecturer import class_link, is_only_here

_show_line = declare("following", "follow/follow.js", "following", "follow/follow.css")
_show_link = declare("class_link", "follow/class_link.js", "classlink", "follow/follow.css")
_LARGE = "display:block;width:min(70vh,80vw);image-rendering:pixelated"


def following_line(run_id: str, text: str, key: str) -> None:
    """Say what is followed. The script (or fragment) that calls this runs again when the lecturer shows another run.

    Args:
        run_id: what is on the page; "" while the lecturer shows nothing.
    """
    _show_line(key, {"run": run_id, "text": text}, {"moved": 0})


def show_class_link(text: str, key: str) -> None:
    """A few words, and the link by which a class follows, in large letters; a button copies it, also without TLS.

    As a QR code it unfolds, where other machines can reach it.
    """
    link = class_link(st.context.url)
    row = st.container(horizontal=True, vertical_alignment="center")
    row.markdown(f"**{text}**", width="content")
    with row:
        _show_link(key, {"link": link}, {})
    if is_only_here(link):
        st.caption(
            "No QR code, as this link works on this computer alone: open this page by the server's address in the "
            "network first."
        )
    else:
        with row.popover("QR code", icon=":material/qr_code:"):
            st.html(qr_code(link))


def qr_code(link: str) -> str:
    """HTML of the link as a QR code, black on white in any theme, as large as the back row needs and a window has."""
    picture = segno.make(link, micro=False).svg_data_uri(border=4, light="#fff", omitsize=True)
    return f'<img alt="QR code of {html.escape(link)}" src="{html.escape(picture)}" style="{_LARGE}">'
