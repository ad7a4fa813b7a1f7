"""Which patches a tile has, and cutting them."""
