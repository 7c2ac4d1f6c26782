"""What the address of the page holds: what rests in its picture."""

from pages.ui.address import Address, Part

link = Address("home", Part("shown", None, key=None))
