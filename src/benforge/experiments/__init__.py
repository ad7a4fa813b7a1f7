"""Whole experiments: many trainings, planned, resumed and held against each other."""
