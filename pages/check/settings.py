"""What the address of the page holds: the question that is shown, and what was answered so far."""

from pages.check.questions import QUESTIONS
from pages.ui.address import Address, Number

END = len(QUESTIONS) + 1  # behind the last question: the score
ANSWERS = tuple(f"a{number}" for number in range(1, END))

link = Address(
    "check",
    Number("question", 1, 1, END),
    *(Number(name, 0, 0, 3) for name in ANSWERS),  # which option, from 1 on; 0: none yet
)
