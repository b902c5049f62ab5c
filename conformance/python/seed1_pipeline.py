"""A pipeline whose step writes a DataFrame to the store with the credentials of the platform's usual Secret."""

import os
import sys

import kfp
from kfp import dsl, kubernetes


@dsl.component(packages_to_install=["pandas", "pyarrow", "s3fs"])
def write_frame(bucket: str, endpoint: str) -> int:
    import os

    import pandas as pd

    frame = pd.DataFrame({"a": [1, 2, 3], "b": [4, 5, 8]})
    frame.to_parquet(
        f"s3://{bucket}/dummy_kfp.parquet",
        storage_options={
            "endpoint_url": endpoint,
            "key": os.environ["S3_ACCESS_KEY"],
            "secret": os.environ["S3_SECRET_KEY"],
        },
    )
    return len(frame)


@dsl.pipeline(name="write-to-bucket")
def write_to_bucket(bucket: str, endpoint: str) -> int:
    task = write_frame(bucket=bucket, endpoint=endpoint)
    kubernetes.use_secret_as_env(
        task,
        secret_name="mlpipeline-minio-artifact",
        secret_key_to_env={"accesskey": "S3_ACCESS_KEY", "secretkey": "S3_SECRET_KEY"},
    )
    return task.output


client = kfp.Client()
run = client.create_run_from_pipeline_func(
    write_to_bucket,
    arguments={"bucket": sys.argv[1], "endpoint": os.environ["AWS_ENDPOINT_URL_S3"]},
    enable_caching=False,
)
print(client.wait_for_run_completion(run.run_id, timeout=300, sleep_duration=1).state)
