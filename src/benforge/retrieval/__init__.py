"""Patches that are like a patch: an index of embeddings, and exact search in it."""
