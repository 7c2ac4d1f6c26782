"""The small PyTorch core of ELBO Room: variational autoencoders, written to be read.

No Streamlit, no plotly: import it from a script or a notebook.

    from vae_core.config import RunConfig
    from vae_core.evaluate import evaluate_test
    from vae_core.trainer import Trainer

    trainer = Trainer(RunConfig(latent_dim=2, epochs=1))
    while not trainer.done:
        trainer.step()
    print(evaluate_test(trainer.model, trainer.images, trainer.config))

Units are nats per image throughout: summed over pixels and latent dimensions, averaged over images.
"""

__version__ = "0.1.0"
