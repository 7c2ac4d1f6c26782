"""What a class is told of a family of models."""

from dataclasses import dataclass


@dataclass(frozen=True)
class About:
    """What a class is told of a family.

    Attributes:
        loss: of one image, in nats, as LaTeX. use: when one would take it. limits: what to expect of it in vain.
        paper: who published it. address: where that can be read.
        point: name of the method that is the point of it, whose source stands open on a page; "" for none.
    """

    loss: str
    use: str
    limits: str
    paper: str
    address: str
    point: str = ""
