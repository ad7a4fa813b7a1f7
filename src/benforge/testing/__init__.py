"""For tests, yours too: hypothesis strategies, small products, contracts of the ports."""
