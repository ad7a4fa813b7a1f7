"""One page of an experiment: its tables and figures, and what they do and do not say."""
