"""What a trained model says of patches."""
