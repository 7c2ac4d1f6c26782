"""What the chips and the help of the training page promise, each beside what holds it."""

from vae_core.claims import Claim

_SIGMA = "test: tests/test_claims.py::test_sigma_weighs_the_squared_error"
_RATIO = "test: tests/test_claims.py::test_alpha_and_beta_count_by_their_ratio"
_FROZEN_LATER = "test: tests/test_claims.py::test_a_half_that_is_frozen_later_stays"

_ALL = (
    # ---- chips
    Claim(
        "chip usual",
        "The loss falls fast, then slowly; the KL rises to about 6 nats: the code fills.",
        ("bench: usual",),
    ),
    Claim(
        "chip learning rate 0.1",
        "Often jumps in the curves, and an encoder that gives every image the same q.",
        ("bench: learning rate 0.1",),
    ),
    Claim(
        "chip beta 8",
        "Fainter edges, codes pressed towards the centre, the KL far below that of beta 1.",
        ("bench: beta 8", "bench: usual, one epoch"),
    ),
    Claim(
        "chip 32 latents",
        "A far lower loss; after two epochs a dozen of the 32 bars carry most of the KL.",
        ("bench: 32 latents", "bench: usual"),
    ),
    Claim(
        "chip sigma 0.05",
        "1 / (2 sigma²) = 200 weighs the squared error: the KL hardly counts, each q narrows to a tenth.",
        (
            "bench: sigma 0.05",
            "bench: usual, one epoch",
            _SIGMA,
        ),
    ),
    Claim(
        "chip mean over pixels",
        "Averaging the reconstruction over 784 pixels and summing the KL is beta = 784 in disguise: watch it collapse.",
        ("bench: mean over pixels", _RATIO),
    ),
    Claim(
        "chip encoder frozen",
        "A random encoder gives all images nearly the same code: the decoder learns the mean image, the KL is fixed.",
        ("bench: encoder frozen",),
    ),
    Claim(
        "chip decoder never trained",
        "Without the reconstruction the decoder gets no gradient: its pictures stay those of its initial weights.",
        ("bench: no reconstruction",),
    ),
    # ---- help
    Claim(
        "net",
        "mlp: 784-400-200 and back, many times faster on a CPU. conv: DCGAN layers.",
        ("bench: a step of mlp and conv",),
    ),
    Claim(
        "latent_dim",
        "2 can be drawn as they are, but digits overlap; with 16 expect a far lower loss.",
        ("bench: usual, one epoch", "bench: 16 latents"),
    ),
    Claim(
        "likelihood",
        "Bernoulli: cross-entropy. Gaussian: squared error over 2 sigma², a density: it may be below 0.",
        (_SIGMA,),
    ),
    Claim(
        "sigma",
        "Standard deviation of a pixel given z, of full scale. Far below the error (root mean square) the "
        "reconstruction drowns the KL. A sigma that learns starts here, and settles at the error. One per pixel comes "
        "from the decoder: large at the digits' edges, at its floor of 0.01 where the pixels are always black.",
        ("bench: sigma 0.05", "test: tests/test_sigma.py::test_a_sigma_that_learns_settles_at_the_error"),
    ),
    Claim(
        "epochs",
        "Passes over the 60,000 images. 3 show the shape of everything; the loss falls slowly for 50 more.",
        ("test: tests/test_claims.py::test_the_loss_falls_slowly_for_fifty_epochs_more",),
    ),
    Claim(
        "warmup_steps",
        "beta rises from 0 over so many steps: the code fills first, then KL tidies it. Against collapse.",
        ("bench: warm-up", "bench: usual", "source: Sønderby 2016, section 2.3"),
    ),
    Claim(
        "warmup_cycles",
        "The run is cut into so many equal parts, and beta rises anew in each. 0 or 1: it rises once.",
        ("test: tests/test_cures.py::test_beta_rises_anew_in_every_cycle", "source: Fu 2019, equation 6"),
    ),
    Claim(
        "free_bits",
        "A latent's KL, mean over the batch, is minimised down to this and no further. The curves show the true KL; "
        "only the loss has the free bits in it. 0: off.",
        ("test: tests/test_cures.py::test_free_bits_are_minimised_and_the_true_kl_is_reported",),
    ),
    Claim(
        "samples",
        "K of the bound that is minimised, log of the mean of K weights: tighter with more, and dearer.",
        ("test: tests/test_iwae.py::test_more_samples_bound_log_p_more_tightly", "source: Burda 2016, theorem 1"),
    ),
    Claim(
        "corruption",
        "The encoder sees the image with noise of this std on every pixel; the copy is held against the clean one.",
        ("test: tests/test_dae.py::test_the_encoder_sees_noise_and_the_loss_asks_for_the_clean_image",),
    ),
    Claim(
        "codebook_size",
        "K, how many vectors each place of the code map chooses from.",
        ("test: tests/test_vq.py::test_each_place_takes_the_nearest_vector",),
    ),
    Claim(
        "recon_on",
        "Off: nothing ties a code to its image, the KL pulls every code to the prior, the decoder stops learning.",
        ("bench: no reconstruction",),
    ),
    Claim(
        "alpha",
        "Weight of the reconstruction term. Doubling alpha is like halving beta.",
        (_RATIO,),
    ),
    Claim(
        "kl_on",
        "Off: expect the codes to spread, their std to shrink, and the KL to rise.",
        ("bench: no KL", "bench: usual", "bench: usual, one epoch"),
    ),
    Claim(
        "beta",
        "Weight of the KL term. 1 is the ELBO. Large: fainter edges, fewer active dimensions.",
        ("bench: beta 8", "bench: usual, one epoch", "bench: 16 latents", "bench: beta 32, 16 latents"),
    ),
    Claim(
        "learning_rate",
        "Of Adam. 0.002 is safe; at 0.1 often jumps, and an encoder that ignores x.",
        ("bench: usual", "bench: learning rate 0.1"),
    ),
    Claim(
        "encoder frozen",
        "**Encoder frozen**: the codes stay where they are and the decoder learns to read them. From the start: what a "
        "random projection keeps of an image, with 2 latents nothing. Later: the KL stands still, the copies improve.",
        ("bench: encoder frozen", _FROZEN_LATER),
    ),
    Claim(
        "decoder frozen",
        "**Decoder frozen**: the encoder can only choose among the pictures that the decoder already draws. From "
        "the start these are noise, and no code helps. Later: codes move, the repertoire stays.",
        ("bench: decoder frozen", _FROZEN_LATER),
    ),
)
CLAIMS = {claim.key: claim for claim in _ALL}


def said(key: str) -> str:
    """The sentence of a claim."""
    return CLAIMS[key].says
