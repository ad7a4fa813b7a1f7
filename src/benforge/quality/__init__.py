"""What is wrong with patches: a screening that proposes, and a review that decides."""
