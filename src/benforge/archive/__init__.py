"""The archive on disk: index, pixel store, build, check, published layouts in and out."""
