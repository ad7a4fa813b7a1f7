"""A web page on this machine: to look through an archive, and to decide on its patches."""
