"""What a trained model does with its latent space, in metrics that can be set side by side.

measure       one model on test images, all metrics at once
definitions   what each metric is, which end of it is better and why
codes         metrics of the codes: distance to the prior, codes outside 3 sigma, holes, nearest neighbours
information   what the KL is made of: information about the image, and the KL of the codes as a whole
draws         metrics of the pictures: draws from the prior against test images
factors       how well single latents match what the images were drawn from: the gap by two evaluators
judged        a model of such images: the parts of its KL, and both gaps
states        the one vocabulary of named states, each in one sentence with its number
"""
