"""For tests, yours too: hypothesis strategies, small products, and the contract of each extension point."""
