"""What is intractable in general, computed where it is not: one or two latents, or a linear Gaussian model."""
