"""Labels: land-cover maps to shares, shares to labels, places to countries."""
