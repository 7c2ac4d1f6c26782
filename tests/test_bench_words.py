"""The bench that counts visible words goes to every section and way that the pages offer."""

import re

from pages.ablation.bugs import BUGS
from pages.ablation.settings import SECTIONS as OF_ABLATION
from pages.elbo.settings import COSTS, LOOKS, SECTIONS, WAYS
from pages.explorer.ways import WAYS as OF_EXPLORER
from tests.bench.words import PLACES
from tests.browser.conftest import ROOT


def shown(page: str, setting: str, default: str) -> set[str]:
    """The values of a setting at which a page is read, its default among them where the address says nothing."""
    addresses = [path for path in PLACES.values() if path.split("?")[0] == page]
    found = [re.search(rf"[?&]{setting}=([^&]*)", path) for path in addresses]
    return {match[1] if match else default for match in found}


def test_every_page_section_and_way_is_read() -> None:
    pages = {page.parent.name for page in (ROOT / "pages").glob("*/page.py")}
    assert {path.split("?")[0] for path in PLACES.values()} == {"", *pages} - {"home"}
    assert shown("elbo", "section", "evidence") == set(SECTIONS)
    assert shown("elbo", "way", "bayes") == set(WAYS)
    assert shown("elbo", "reparameterise", "estimators") == set(LOOKS)
    assert shown("elbo", "likelihood", "pixel") == set(COSTS)
    assert shown("ablation", "section", "arms") == set(OF_ABLATION)
    assert shown("ablation", "bug", BUGS[0].key) == {bug.key for bug in BUGS}
    assert shown("explorer", "way", "pad") == set(OF_EXPLORER)
