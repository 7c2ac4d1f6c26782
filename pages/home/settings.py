"""What the address of the page holds: the image, and the noise with which it is sampled."""

from pages.ui.address import MOST, Address, Choice, Number

link = Address("home", Choice("digit", 3, range(10)), Number("image", 0, 0, MOST), Number("sample", 0, 0, MOST))
