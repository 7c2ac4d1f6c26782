"""Many trainings over a grid of beta, latent size and seed: `python -m vae_core.sweep`.

grid.py says which trainings there are and which are done, cell.py trains one, local.py and cluster.py many of them in
processes of this machine or of a Ray cluster, record.py keeps what came out.
"""
