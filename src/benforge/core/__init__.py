"""The nouns of benforge: frozen types parsed at the door, and the facts they stand on."""
