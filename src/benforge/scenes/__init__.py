"""Sentinel-2 products, opened, written and simulated."""
