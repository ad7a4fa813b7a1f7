"""The lists published beside BigEarthNet's pixels: names, products, splits, quality."""
