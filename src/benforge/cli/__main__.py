"""`python -m benforge.cli` is `ben`."""

from benforge.cli import main

main()
