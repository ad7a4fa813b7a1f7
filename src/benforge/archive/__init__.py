"""The archive on disk: index, pixel store, build, check, sidecars."""
