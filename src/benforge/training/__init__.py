"""Training: a visible loop, its recipe, and what a run leaves behind."""
