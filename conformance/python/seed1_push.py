"""Pushes a DataFrame to a bucket as Parquet, as a user of the host path guide does."""

import os
import sys

import pandas as pd

STORAGE_OPTIONS = {
    "endpoint_url": os.environ["AWS_ENDPOINT_URL_S3"],
    "key": os.environ["AWS_ACCESS_KEY_ID"],
    "secret": os.environ["AWS_SECRET_ACCESS_KEY"],
}

frame = pd.DataFrame({"a": [1, 2, 3], "b": [4.5, 5.5, 8.5], "c": ["x", "ü", "𝄞"]})
frame.to_parquet(sys.argv[1], storage_options=STORAGE_OPTIONS)
