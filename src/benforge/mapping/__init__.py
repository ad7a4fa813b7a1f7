"""Maps of whole products: what a trained model says of every window of a scene."""
