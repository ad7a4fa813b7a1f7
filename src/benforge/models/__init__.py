"""Models: bands of a patch to a logit for every class."""
