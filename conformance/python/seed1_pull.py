"""Pulls a Parquet object back and prints it as JSON."""

import os
import sys

import pandas as pd

STORAGE_OPTIONS = {
    "endpoint_url": os.environ["AWS_ENDPOINT_URL_S3"],
    "key": os.environ["AWS_ACCESS_KEY_ID"],
    "secret": os.environ["AWS_SECRET_ACCESS_KEY"],
}

print(pd.read_parquet(sys.argv[1], storage_options=STORAGE_OPTIONS).to_json(orient="list"))
