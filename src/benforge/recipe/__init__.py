"""Profiles and recipes: every rule of a build as a declared value."""
