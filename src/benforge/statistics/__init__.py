"""An archive described: the paper's tables and figures, for any archive."""
