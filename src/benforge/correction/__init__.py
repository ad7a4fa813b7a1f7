"""From L1C to L2A: the atmosphere taken off, by one of several processors."""
