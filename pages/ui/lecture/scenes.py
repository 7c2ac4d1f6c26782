"""The lecture in its order: eight scenes, each a place in the lab, one question for the class, and what answers it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pages.ui.shipped import PLANE


@dataclass(frozen=True)
class Scene:
    """One scene.

    Attributes:
        title, minutes: what the overview says. page: its script below pages/. query: what its address says beside it.
        question: for the class, before anything is pressed. answer: at most two sentences, folded.
        press, see: for the lecturer. so: the conclusion, one sentence.
    """

    title: str
    minutes: int
    page: str
    question: str
    answer: str
    press: str
    see: str
    so: str
    query: Mapping[str, str] = field(default_factory=dict)


SCENES = (
    Scene(
        "Why p(x) is hard",
        10,
        "elbo",
        "Of a thousand z from the prior, how many explain this image?",
        "Almost none: a few of them carry the whole mean, which comes out too low. The z that count lie in one small "
        "place, and which place depends on x.",
        "New draws, several times.",
        "The estimate jumps about and stays below the exact value; the draws that count lie near the posterior.",
        "To average over z one has to know where to look: that is what q(z | x) is for.",
        {"section": "evidence", "digit": "7"},
    ),
    Scene(
        "The bound",
        15,
        "elbo",
        "Is the ELBO above or below log p(x), and what lies between?",
        "Below, for every q. What lies between is KL(q ‖ p(z | x)), which is never negative and 0 where q is the true "
        "posterior.",
        "Drag q over the plane; then Optimise q.",
        "ELBO and gap add up to the same log p(x), wherever q is.",
        "To make the ELBO large is to bring q close to the posterior.",
        {"section": "bound", "digit": "7"},
    ),
    Scene(
        "Reparameterise",
        10,
        "elbo",
        "z is drawn by chance: how does a gradient get through?",
        "It does not have to: z = mu + std · eps, and the chance is in eps alone. For a given eps, z is an ordinary "
        "function of mu and std.",
        "Drag mu, then std; then New draws.",
        "Left z is drawn anew and jumps, right it moves along. All three estimators are right on the mean, and the "
        "pathwise one spreads least.",
        "The pathwise gradient is the one with which a VAE can be trained.",
        {"section": "reparameterise", "digit": "7"},
    ),
    Scene(
        "First training",
        15,
        "training",
        "Both terms are to fall. Which falls first, and can the other rise?",
        "The reconstruction falls first. Copies that differ need codes that differ, and the KL is what that costs.",
        "Start; then the film, from its first step.",
        "Digits come out of grey noise, and the KL rises from 0 while the sum falls.",
        "A rising KL is no fault: it is the price of telling images apart.",
    ),
    Scene(
        "Drop the KL",
        12,
        "ablation",
        "Without the KL: what becomes of the copies, and what of the pictures drawn from the prior?",
        "The copies become better. The codes leave the region that the prior draws from, and many draws fall where no "
        "code is.",
        "Predict; then play all arms. Then Interpolate, beside an autoencoder.",
        "The codes run past the circles, the clouds shrink, and prior draws look less like digits.",
        "The KL keeps the codes where the prior will look for them.",
        {"section": "arms"},
    ),
    Scene(
        "Drop the reconstruction",
        8,
        "ablation",
        "Only the KL is left, and the codes collapse. What does the encoder tell of an image then?",
        "Nothing: the KL is smallest, 0, where q(z | x) is the prior for every image, and no other term pays for "
        "telling images apart. The decoder was never asked for a picture.",
        "Only the arm without reconstruction; play it.",
        "All codes on one point with the width of the prior; all copies alike.",
        "KL = 0 is not a good sign: the code says nothing.",
        {"section": "arms", "arms": "full,no-reconstruction"},
    ),
    Scene(
        "Walk in latent space",
        10,
        "explorer",
        "Between two digits the plane has places without a code. What is drawn there?",
        "Something in between: the decoder is a function of z and draws everywhere. Near codes it was trained; far "
        "from all of them nobody asked what it draws.",
        "Drag z slowly from one class to another; then draw a digit under Encode.",
        "Shapes change without a jump, and between some classes they are no digits.",
        "What lies near in z looks alike: that is what the plane is good for.",
        {"way": "pad", "model": PLANE},
    ),
    Scene(
        "The family, and the limits",
        10,
        "family",
        "Which of these models minimises a bound on −log\u00a0p(x)?",
        "Read the row of the loss: an autoencoder minimises a distance, with no prior and no bound. A VAE has both, "
        "and pays with blur where pixels are drawn one by one.",
        "Exchange one of the models; open its source.",
        "The same images, three losses, three latent spaces.",
        "Compare models by what they minimise before comparing their pictures.",
    ),
)
MINUTES = sum(scene.minutes for scene in SCENES)


def scene_query(number: int) -> dict[str, str]:
    """The address of a scene, from 1 on, behind its page's path."""
    return {**SCENES[number - 1].query, "scene": str(number)}
