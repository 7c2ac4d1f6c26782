"""The words and cells of the notebook of the ELBO: kept apart, to be read as they are."""

from vae_core.export.colours import LIGHT

HEAD = r"""# The ELBO of one image

LABEL

ABOUT

For every $q(z \mid x)$

$$\log p(x) = \underbrace{\mathbb{E}_q[\log p(x \mid z)] - \mathrm{KL}(q(z \mid x) \,\|\, p(z))}_{\mathrm{ELBO}}
+ \underbrace{\mathrm{KL}(q(z \mid x) \,\|\, p(z \mid x))}_{\text{gap}}.$$

Here $z$ has two dimensions, so every one of these integrals is a sum over a grid. All values are in nats. It needs
PyTorch, NumPy and plotly, and the file `elbo.npz` beside it.
"""

MODEL_TOLD = "## The model and the image"
MODEL = """

with np.load("{file}", allow_pickle=False) as file:
    arrays = {{name: torch.from_numpy(file[name]) for name in file.files}}
x = arrays.pop("x")  # (1, 1, 28, 28)
encoder = {net}_encoder(2 * LATENT_DIM{layers})
decoder = {net}_decoder(LATENT_DIM, {channels}{layers})
model = nn.ModuleDict({{"encoder": encoder, "decoder": decoder}}).eval().requires_grad_(False)
model.load_state_dict({{name: v for name, v in arrays.items() if "coder." in name}})
print(f"{{sum(p.numel() for p in model.parameters()):,}} weights")
"""

Q_TOLD = r"""## What the encoder says

$q(z \mid x) = \mathcal{N}(\mu, \sigma^2)$, the approximate posterior; the net gives $\mu$ and $\log \sigma^2$."""
Q = """
mu, log_var = encoder(x).chunk(2, dim=-1)  # (1, 2) each
log_var = log_var.clamp(*LOG_VAR_RANGE)
mu, log_var = mu.double(), log_var.double()  # the nets compute in float32, sums are taken in float64
std = (0.5 * log_var).exp()
print("mu", mu.tolist(), "std", std.tolist())
"""

LIKELIHOOD_TOLD = r"""## The likelihood

NLL

It holds at any $z$; here at $z = \mu$, with the picture that the decoder makes of it beside $x$."""
NLL = {  # what stands before the function, and the term in it
    "bernoulli": ("", "bernoulli_nll(decoder(part), x.expand(len(part), -1, -1, -1))"),
    "gaussian": ("SIGMA = {sigma!r}", "gaussian_nll(decoder(part).sigmoid(), x, SIGMA)"),
    "gaussian-learned": (
        'SIGMA_FLOOR = {floor!r}\nSIGMA = SIGMA_FLOOR + F.softplus(arrays["raw_sigma"])',
        "gaussian_nll(decoder(part).sigmoid(), x, SIGMA)",
    ),
    "gaussian-per-pixel": (
        "SIGMA_FLOOR = {floor!r}",
        "gaussian_nll(decoder(part)[:, :1].sigmoid(), x, SIGMA_FLOOR + F.softplus(decoder(part)[:, 1:]))",
    ),
}
LIKELIHOOD = '''
def log_likelihood(z: Tensor) -> Tensor:
    """log p(x given z) of the image at codes z (N, 2): (N,) nats."""
    parts = []
    for part in z.float().split(1024):
        parts.append(-NLL)
    return torch.cat(parts).double()
'''
AT_MU = """
print(f"log p(x | z) = {log_likelihood(mu).item():.3f} nats at z = mu")
pictures = torch.cat([x[0, 0], decoder(mu.float())[0, 0].sigmoid()], dim=1)  # (28, 56)
picture = go.Figure(go.Heatmap(z=pictures.numpy(), zmin=0, zmax=1, colorscale="gray", showscale=False))
picture.update_xaxes(visible=False)
picture.update_yaxes(visible=False, autorange="reversed", scaleanchor="x")
picture.update_layout(height=220, width=420, margin=dict(l=0, r=0, t=10, b=10))
"""

KL_TOLD = r"""## The KL to the prior, in closed form and as the integral that it is

$$\mathrm{KL}(q \,\|\, p(z)) = \tfrac12 \sum_d \left(\mu_d^2 + \sigma_d^2 - 1 - \log \sigma_d^2\right)
= \int q(z \mid x) \log \frac{q(z \mid x)}{p(z)} \, dz$$

The integral is a sum over a grid of $\varepsilon$, with $z = \mu + \sigma \odot \varepsilon$, as fine as $q$ is
narrow."""
KL = '''
def log_normal(z: Tensor, mean: Tensor, log_var: Tensor) -> Tensor:
    """log N(z; mean, exp(log_var)), summed over dimensions: (N,) nats."""
    return -0.5 * (math.log(2 * math.pi) + log_var + (z - mean).square() / log_var.exp()).sum(-1)


def log_prior(z: Tensor) -> Tensor:
    """log p(z) of N(0, I): (N,) nats."""
    return log_normal(z, torch.zeros(2), torch.zeros(2))


def grid_of_q(step: float = 0.2, offset: float = 0.0) -> tuple[Tensor, Tensor]:
    """Points z (N, 2) within 7 standard deviations of mu, and how much q lies around each, (N,)."""
    line = step * (torch.arange(-round(7 / step), round(7 / step) + 1).double() + offset)
    eps = torch.cartesian_prod(line, line)
    return mu + std * eps, log_prior(eps).exp() * step**2


z, weight = grid_of_q()
kl = (0.5 * (mu.square() + log_var.exp() - 1 - log_var)).sum().item()
kl_by_quadrature = (weight * (log_normal(z, mu, log_var) - log_prior(z))).sum().item()
print(f"KL {kl:.6f} in closed form, {kl_by_quadrature:.6f} by quadrature, nats")
'''

ELBO_TOLD = r"""## The ELBO

$$\mathrm{ELBO} = \mathbb{E}_q[\log p(x \mid z)] - \mathrm{KL}(q(z \mid x) \,\|\, p(z))$$"""
ELBO = """
reconstruction = (weight * log_likelihood(z)).sum().item()
elbo = reconstruction - kl
print(f"E_q[log p(x | z)] {reconstruction:.3f}, KL {kl:.3f}, ELBO {elbo:.3f} nats")
"""

IW_TOLD = r"""## Importance-weighted bounds

$$\mathcal{L}_K = \mathbb{E}_{z_1, \dots, z_K \sim q}\left[\log \frac1K \sum_{k=1}^{K}
\frac{p(x, z_k)}{q(z_k \mid x)}\right]$$

$\mathcal{L}_1$ is the ELBO; the mean grows with $K$ towards $\log p(x)$ (Burda, Grosse and Salakhutdinov 2016). Drawn,
so with a standard error."""
IW = """
draws = torch.Generator().manual_seed(0)
z = mu + std * torch.randn(10_000, 2, generator=draws).double()
log_weight = log_likelihood(z) + log_prior(z) - log_normal(z, mu, log_var)
iw_bounds = {}
for K in (1, 10, 100, 1000):
    values = log_weight.view(-1, K).logsumexp(1) - math.log(K)  # (10,000 / K,)
    iw_bounds[K] = (values.mean().item(), values.std().item() / math.sqrt(len(values)))
    print(f"K = {K:4}  {iw_bounds[K][0]:.3f} ± {iw_bounds[K][1]:.3f} nats")
"""

EVIDENCE_TOLD = r"""## log p(x) on a grid

$$p(x) = \int p(x \mid z)\, p(z)\, dz$$

A coarse grid over the prior shows where $p(x, z)$ matters; then the grid closes in. Twice the step says how far it can
be trusted."""
EVIDENCE = '''
def log_joint(z: Tensor) -> Tensor:
    """log p(x, z) at codes z (N, 2): (N,) nats."""
    return log_likelihood(z) + log_prior(z)


def grid_sum(values: Tensor, step: Tensor) -> float:
    """log of the integral of exp(values), (n, n), over the grid."""
    return (values.flatten().logsumexp(0) + step.log().sum()).item()


low, high = torch.tensor([-12.0, -12.0]).double(), torch.tensor([12.0, 12.0]).double()
for points in (97, 121, 201):
    z1, z2 = (torch.linspace(low[d], high[d], points).double() for d in (0, 1))
    step = torch.stack([z1[1] - z1[0], z2[1] - z2[0]])
    values = log_joint(torch.cartesian_prod(z1, z2)).view(points, points)  # rows are z1
    log_p, twice_the_step = grid_sum(values, step), grid_sum(values[::2, ::2], 2 * step)
    print(f"step {step.max():.4f}: log p(x) {log_p:.4f}, with twice the step {twice_the_step:.4f} nats")
    rows, columns = (values > values.max() - 25).nonzero().T  # elsewhere lies e^-25 of the peak, or less
    low = torch.minimum(torch.stack([z1[rows.min()], z2[columns.min()]]) - 2 * step, mu[0] - std[0])
    high = torch.maximum(torch.stack([z1[rows.max()], z2[columns.max()]]) + 2 * step, mu[0] + std[0])
'''

GAP_TOLD = r"""## The gap

$$\mathrm{KL}(q(z \mid x) \,\|\, p(z \mid x)), \qquad p(z \mid x) = \frac{p(x, z)}{p(x)}$$

It is computed as the divergence that it is, on a grid that shares no point with that of the ELBO. So the sum could
fail: ELBO and gap must give $\log p(x)$."""
GAP = """
z, weight = grid_of_q(offset=0.3)
gap = (weight * (log_normal(z, mu, log_var) - log_joint(z) + log_p)).sum().item()
print(f"ELBO {elbo:.3f} + gap {gap:.3f} = {elbo + gap:.3f}; log p(x) = {log_p:.3f} nats")
"""

PLANE_TOLD = r"""## Both on the plane

The true posterior $p(z \mid x)$ as contours, $q$ as ellipses of one and two standard deviations."""
PLANE = f"""
turn = torch.linspace(0, 2 * math.pi, 100)
ring = torch.stack([turn.cos(), turn.sin()], dim=-1)
plane = go.Figure(
    go.Contour(x=z1.numpy(), y=z2.numpy(), z=(values - log_p).exp().T.numpy(), colorscale="Greys", showscale=False)
)
for radius in (1, 2):
    ellipse = mu + radius * std * ring
    name = f"q, {{radius}} std"
    plane.add_scatter(x=ellipse[:, 0].numpy(), y=ellipse[:, 1].numpy(), name=name, line_color="{LIGHT.classes[0]}")
plane.update_yaxes(title="z2", scaleanchor="x")
plane.update_layout(xaxis_title="z1", template="plotly_white", width=640, height=560)
"""

STEPS = (
    (KL_TOLD, KL),
    (ELBO_TOLD, ELBO),
    (IW_TOLD, IW),
    (EVIDENCE_TOLD, EVIDENCE),
    (GAP_TOLD, GAP),
    (PLANE_TOLD, PLANE),
)
