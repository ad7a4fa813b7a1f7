"""Patches of an archive as batches for a model: read, normalised, brought to one pixel size."""
