"""The words of the notebook of a run, and its cells that the script has not: kept apart, to be read as they are."""

from vae_core.export.colours import LIGHT

HEAD = r"""# TITLE

One run of ELBO Room, repeated with PyTorch and NumPy; plotly draws. A variational autoencoder (Kingma and Welling
2014): its encoder gives $q(z \mid x) = \mathcal{N}(\mu, \sigma^2)$, its decoder $p(x \mid z)$, and the prior is
$p(z) = \mathcal{N}(0, I)$. For every $q$

$$\log p(x) \;\ge\; \mathrm{ELBO} = \mathbb{E}_q[\log p(x \mid z)] - \mathrm{KL}(q(z \mid x) \,\|\, p(z)).$$

Functions and random draws are those of the run: the curve is the same, up to rounding. All values are in nats per
image.
"""

SECTIONS = {
    "settings of the run": "Change them and run all cells again. `STEPS` says how long it trains.",
    "random numbers": "Every draw is a function of (seed, stream, counter), and of nothing else.",
    "the two networks": r"The encoder gives $\mu$ and $\log \sigma^2$ of $q(z \mid x)$; the decoder turns $z$ into "
    "an image.",
    "the two terms of the loss": r"""The KL has a closed form:

$$\mathrm{kl} = \mathrm{KL}(q(z \mid x) \,\|\, \mathcal{N}(0, I))
= \tfrac12 \sum_d \left(\mu_d^2 + \sigma_d^2 - 1 - \log \sigma_d^2\right).$$

The reconstruction term takes one sample of $z$:

NLL""",
    "the model": r"""A sample of $q$ through which the gradient passes, the reparameterisation:

$$z = \mu + \sigma \odot \varepsilon, \qquad \varepsilon \sim \mathcal{N}(0, I).$$""",
    "training": r"""$$\mathrm{loss} = \frac1B \sum_{i=1}^{B} \left(\alpha \cdot \mathrm{nll}_i
+ \beta \cdot \mathrm{kl}_i\right)$$

With $\alpha = \beta = 1$ it is −ELBO, an upper bound on $-\log p(x)$.""",
    "the images": "They are looked for in the folder of this notebook.",
}

NLL = {
    True: r"$$\mathrm{nll} = -\log p(x \mid z) = -\sum_i \left[x_i \log \hat x_i + (1 - x_i) \log(1 - \hat x_i)"
    r"\right].$$",
    False: r"$$\mathrm{nll} = -\log p(x \mid z) = \sum_i \left[\frac{(x_i - \hat x_i)^2}{2 s^2} + \log s + \tfrac12 "
    r"\log 2\pi\right],$$" + "\n\nwhere $s$ is the standard deviation of a pixel given $z$.",
}

IMAGES = """
images = find_images(None)
x_train, x_test = (torch.from_numpy(images[k]).unsqueeze(1).to(DEVICE) for k in ("x_train", "x_test"))
x_train.shape, x_test.shape
"""

TRAINED = "## Train"
TRAIN = """
torch.manual_seed(stream_seed(SEED, "init"))
model = VAE().to(DEVICE)
rows = []  # of every step: step, nll, kl, loss
for row in train(model, x_train):
    rows.append(row)
    step, nll, kl, loss = row
    if step == 1 or step % 100 == 0 or step == STEPS:
        print(f"step {step:6,}  -ELBO {nll + kl:8.2f}  nll {nll:8.2f}  KL {kl:6.2f}  loss {loss:8.2f}", flush=True)
"""

TESTED = "## Test\n\nBoth terms over all test images, one sample of $z$ each."
TEST = """
test_nll, test_kl = evaluate(model, x_test)
where = f"WHERE"
print(f"-ELBO {test_nll + test_kl:.2f}, nll {test_nll:.2f}, KL {test_kl:.2f} nats per image ({where})")
"""

CURVES_TOLD = "## Curves\n\nOf the training batches. Drag to zoom; the first steps lie far above the others."
CURVES = f"""
steps, nll_curve, kl_curve, _ = np.array(rows).T
curves = go.Figure()
curves.add_scatter(x=steps, y=nll_curve + kl_curve, name="−ELBO", line_color="{LIGHT.total}")
curves.add_scatter(x=steps, y=nll_curve, name="nll", line_color="{LIGHT.reconstruction}")
curves.add_scatter(x=steps, y=kl_curve, name="KL", line_color="{LIGHT.kl}")
curves.update_layout(xaxis_title="step", yaxis_title="nats per image", template="plotly_white", height=400)
curves
"""

PICTURES_TOLD = r"""## Reconstructions

Above ten test images, below what the decoder makes of $\mu$."""
PICTURES = '''
def draw_rows(*rows: Tensor) -> go.Figure:
    """Images (N, 1, 28, 28) of each row, side by side."""
    grid = torch.cat([torch.cat(list(row[:, 0]), dim=1) for row in rows])  # (28 R, 28 N)
    picture = go.Figure(go.Heatmap(z=grid.cpu().numpy(), zmin=0, zmax=1, colorscale="gray", showscale=False))
    picture.update_xaxes(visible=False)
    picture.update_yaxes(visible=False, autorange="reversed", scaleanchor="x")
    return picture.update_layout(height=70 + 80 * len(rows), width=800, margin=dict(l=0, r=0, t=20, b=0))


@torch.no_grad()
def decode(z: Tensor) -> Tensor:
    """The decoder's mean image, (N, 1, 28, 28)."""
    return model.decoder(z)[:, :1].sigmoid()


with torch.no_grad():
    x = prepare(x_test[:10], generator(DEVICE, SEED, "eval"))
    mu, log_var = model.encode(x)
x_hat = decode(mu)
draw_rows(x, x_hat)
'''

DRAWS_TOLD = r"## Draws from the prior" + "\n\n" + r"The decoder's mean at $z \sim \mathcal{N}(0, I)$: new images."
DRAWS = """
z = torch.randn(20, LATENT_DIM, generator=torch.Generator().manual_seed(SEED)).to(DEVICE)
draw_rows(*decode(z).split(10))
"""
