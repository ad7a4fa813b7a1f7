"""An archive or the published lists held against the known facts of BigEarthNet."""
