"""What is intractable in general, computed where it is not: with one or two latents."""
