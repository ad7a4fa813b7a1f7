"""Rules that divide an archive into training, validation and test, and what leaks between them."""
