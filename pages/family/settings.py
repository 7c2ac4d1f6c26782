"""What the address of the page holds: which models stand side by side."""

from pages.ui.address import Address, Several
from pages.ui.shipped import PLANE, cards

MOST = 3
FIRST = (PLANE, "mnist-ae-mlp-2", "mnist-vae-conv-32")
FACTORS = ("circles-vae-mlp-3", "circles-beta-tc-mlp-3")  # of images whose factors are known
_NOT_HERE = "models {} are not offered here: choose up to three of those below"

link = Address("family", Several("models", FIRST, lambda name: cards().get(name), _NOT_HERE, most=MOST))
