"""What `import benforge as ben` gives: the stages as functions, and an archive that others read."""
