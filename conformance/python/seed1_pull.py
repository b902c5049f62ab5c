"""Pulls a Parquet object back and prints it as JSON."""

import json
import os
import sys

import pandas as pd

STORAGE_OPTIONS = {
    "endpoint_url": os.environ["AWS_ENDPOINT_URL_S3"],
    "key": os.environ["AWS_ACCESS_KEY_ID"],
    "secret": os.environ["AWS_SECRET_ACCESS_KEY"],
}

frame = pd.read_parquet(sys.argv[1], storage_options=STORAGE_OPTIONS)
print(json.dumps(frame.to_dict(orient="list")))
