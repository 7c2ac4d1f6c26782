"""Measurements print their figures and assert nothing about time: machines are noisy, read the ratios."""

from tests.browser.conftest import browser, opened, server  # noqa: F401  (the same server and browser as the tests)
