"""Stages put together: from a wish to a selection, and from a selection to an archive."""
