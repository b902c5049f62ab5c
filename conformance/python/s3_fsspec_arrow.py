"""s3fs and pyarrow against the store."""

import os

import pyarrow as pa
import pyarrow.parquet as pq
import s3fs
from pyarrow import fs

ENDPOINT = os.environ["AWS_ENDPOINT_URL_S3"]
files = s3fs.S3FileSystem(endpoint_url=ENDPOINT)
files.mkdir("fsspec-bucket")
with files.open("fsspec-bucket/dir/a.txt", "wb") as handle:
    handle.write(b"a" * 10)
with files.open("fsspec-bucket/dir/big.bin", "wb", block_size=5 << 20) as handle:
    for _ in range(12):
        handle.write(b"0123456789abcdef" * 65536)
assert files.exists("fsspec-bucket/dir/a.txt") and not files.exists("fsspec-bucket/dir/b.txt")
assert sorted(files.ls("fsspec-bucket/dir")) == ["fsspec-bucket/dir/a.txt", "fsspec-bucket/dir/big.bin"]
assert files.info("fsspec-bucket/dir/big.bin")["size"] == 12 << 20
files.copy("fsspec-bucket/dir/a.txt", "fsspec-bucket/dir/copy.txt")
files.mv("fsspec-bucket/dir/copy.txt", "fsspec-bucket/other/moved.txt")
assert files.cat("fsspec-bucket/other/moved.txt") == b"a" * 10
assert files.cat_file("fsspec-bucket/dir/big.bin", start=16, end=32) == b"0123456789abcdef"

endpoint = ENDPOINT.removeprefix("http://")
arrow = fs.S3FileSystem(endpoint_override=endpoint, scheme="http", region="us-east-1")
table = pa.table({"x": list(range(100_000)), "y": [str(n) for n in range(100_000)]})
arrow.create_dir("fsspec-bucket/tables")
pq.write_table(table, "fsspec-bucket/tables/t.parquet", filesystem=arrow)
assert pq.read_table("fsspec-bucket/tables/t.parquet", filesystem=arrow).equals(table)
found = {item.path for item in arrow.get_file_info(fs.FileSelector("fsspec-bucket", recursive=True)) if item.is_file}
assert "fsspec-bucket/tables/t.parquet" in found and "fsspec-bucket/other/moved.txt" in found
assert arrow.get_file_info("fsspec-bucket/none").type == fs.FileType.NotFound
arrow.copy_file("fsspec-bucket/tables/t.parquet", "fsspec-bucket/tables/u.parquet")
arrow.delete_dir("fsspec-bucket/tables")
files.invalidate_cache()
assert not files.exists("fsspec-bucket/tables/t.parquet")
files.rm("fsspec-bucket", recursive=True)
assert not files.exists("fsspec-bucket")
print("held")
