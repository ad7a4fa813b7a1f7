"""Published layouts, in and out: BigEarthNet v1 and v2, LMDB, WebDataset, Parquet."""
