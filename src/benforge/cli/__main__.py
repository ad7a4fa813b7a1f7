"""`python -m benforge.cli` is `ben`."""

from benforge.cli.main import main

main()
