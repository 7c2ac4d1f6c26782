"""Links of before there was one address: they open to what they opened to then."""

from typing import Any
from urllib.parse import parse_qsl

import pytest
from streamlit.testing.v1 import AppTest

from tests.pages.conftest import ROUTER, checked
from vae_core.runs.registry import Registry

OLD: list[tuple[str, str, dict[str, Any]]] = [
    (
        "elbo",
        "section=derivation&model=mnist-vae-beta4-mlp-2&digit=9&image=1&way=jensen&line=3&samples=8000&seed=7",
        {
            "elbo section": "derivation",
            "elbo model": "mnist-vae-beta4-mlp-2",
            "elbo digit": 9,
            "elbo image": 1,
            "elbo way": "jensen",
            "elbo line": 3,
            "elbo samples": 8000,
            "elbo seed": 7,
            "elbo draws": 1000,
        },
    ),
    ("elbo", "draws=10000&digit=4", {"elbo section": "evidence", "elbo draws": 10_000, "elbo digit": 4}),
    (
        "elbo",
        'section=bound&q={"mu":[0.5,-1.25],"log_var":[-1.0,0.25]}',
        {"elbo section": "bound", "elbo q": {"mu": [0.5, -1.25], "log_var": [-1.0, 0.25]}},
    ),
    (
        "elbo",
        'section=kl&gaussians={"q_mu":1.5,"shown":"pq"}&transform={"zoom":true,"seed":4}',
        {"elbo gaussians": {"q_mu": 1.5, "shown": "pq"}, "elbo transform": {"zoom": True, "seed": 4}},
    ),
    (
        "training",
        "net=conv&latent_dim=16&likelihood=gaussian&sigma=0.05&protocol=dynamic&epochs=3&batch_size=128"
        "&warmup_steps=500&seed=5&device=cpu",
        {
            "net": "conv",
            "latent_dim": 16,
            "likelihood": "gaussian",
            "sigma": 0.05,
            "protocol": "dynamic",
            "epochs": 3,
            "batch_size": 128,
            "warmup_steps": 500,
            "seed": 5,
            "device": "cpu",
            "dataset": "mnist",
        },
    ),
    (
        "training",
        "widths=300-300&activation=elu&steps=20000&batch_size=97&protocol=static",
        {"widths": "300-300", "activation": "elu", "steps": 20_000, "batch_size": 97, "protocol": "static"},
    ),
    (
        "training",
        "alpha=2.0&beta=0.0&learning_rate=0.001&frozen=decoder&run=mnist-vae-mlp-2&step=100",
        {
            "alpha": 2.0,
            "recon_on": True,
            "beta": 1.0,
            "kl_on": False,
            "learning_rate": 0.001,
            "frozen": "decoder",
            "reduction": "sum",
            "shown run": "mnist-vae-mlp-2",
            "moment": 100,
        },
    ),
    (
        "training",
        "alpha=0.0012755102040816326&beta=4.0",
        {"alpha": 1.0, "reduction": "mean", "recon_on": True, "beta": 4.0, "kl_on": True},
    ),
    ("training", "alpha=0.0", {"alpha": 1.0, "recon_on": False, "kl_on": True}),
    (
        "ablation",
        "arms=full,beta&beta=4&latent_dim=16&epochs=3&seed=2&step=1",
        {
            "ablation section": "arms",
            "ablation arms": ["full", "beta"],
            "ablation beta": 4.0,
            "ablation latent_dim": 16,
            "ablation epochs": 3,
            "ablation seed": 2,
            "ablation moment": 1,
        },
    ),
    ("ablation", "arms=beta&beta=3", {"ablation arms": ["beta"], "ablation beta": 2.0}),  # the nearest that is offered
    ("ablation", "section=bugs&bug=log-var", {"ablation section": "bugs", "ablation bug": "log-var"}),
    (
        "ablation",
        "section=dose&dose_beta=0.25&dose_epochs=1",
        {"ablation section": "dose", "ablation dose_beta": 0.25, "ablation dose_epochs": 1},
    ),
    (
        "explorer",
        'model=mnist-vae-beta4-mlp-2&way=prior&view={"axes":[0,1]}&pad={"z":[0.5,-1.25],"pins":[[1,1]]}'
        '&prior={"seed":3}',
        {
            "explorer model": "mnist-vae-beta4-mlp-2",
            "explorer way": "prior",
            "explorer state": {
                "view": {"axes": [0, 1]},
                "pad": {"z": [0.5, -1.25], "pins": [[1, 1]]},
                "prior": {"seed": 3},
            },
        },
    ),
]


@pytest.mark.parametrize(("page", "link", "state"), OLD)
def test_a_link_of_before_opens_to_the_same(registry: Registry, page: str, link: str, state: dict[str, Any]) -> None:
    at = AppTest.from_file(str(ROUTER), default_timeout=60).run()
    at.switch_page(f"{page}/page.py")
    for name, value in parse_qsl(link):
        at.query_params[name] = value
    checked(at.run())
    assert {key: at.session_state[key] for key in state} == state and not at.warning
