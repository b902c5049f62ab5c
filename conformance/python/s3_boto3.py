"""boto3 against the store: every step asserts; silence and status 0 mean that all of it held."""

import base64
import hashlib
import io
import os
import zlib

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import ClientError, MissingDependencyException

s3 = boto3.client("s3", config=Config(retries={"max_attempts": 1}, signature_version="s3v4"))
BUCKET = "boto3-bucket"
s3.create_bucket(Bucket=BUCKET)


def refused(code, call, **arguments):
    try:
        call(**arguments)
    except ClientError as error:
        assert error.response["Error"]["Code"] == code, error.response
        return
    raise AssertionError(f"{code} expected, the call succeeded")


# put, head, get, metadata, checksums
body = b"hello \x00\xff world" * 100
put = s3.put_object(
    Bucket=BUCKET,
    Key="plain",
    Body=body,
    ContentType="text/x-kelp",
    CacheControl="max-age=7",
    Metadata={"colour": "green, quite", "n": "1"},
)
assert put["ETag"] == f'"{hashlib.md5(body).hexdigest()}"'
assert put["ChecksumCRC32"] == base64.b64encode(zlib.crc32(body).to_bytes(4, "big")).decode()
head = s3.head_object(Bucket=BUCKET, Key="plain", ChecksumMode="ENABLED")
assert head["ContentLength"] == len(body)
assert head["ContentType"] == "text/x-kelp"
assert head["CacheControl"] == "max-age=7"
assert head["Metadata"]["n"] == "1"
assert head["ChecksumCRC32"] == put["ChecksumCRC32"]
got = s3.get_object(Bucket=BUCKET, Key="plain")
assert got["Body"].read() == body
assert s3.get_object(Bucket=BUCKET, Key="plain", Range="bytes=-5")["Body"].read() == body[-5:]
partial = s3.get_object(Bucket=BUCKET, Key="plain", Range="bytes=3-9")
assert partial["Body"].read() == body[3:10]
assert partial["ContentRange"] == f"bytes 3-9/{len(body)}"
refused("InvalidRange", s3.get_object, Bucket=BUCKET, Key="plain", Range="bytes=999999-")
refused("NoSuchKey", s3.get_object, Bucket=BUCKET, Key="absent")
refused("404", s3.head_object, Bucket=BUCKET, Key="absent")
refused("NoSuchBucket", s3.list_objects_v2, Bucket="no-such-bucket-here")
for algorithm in ("CRC32", "CRC32C", "SHA1", "SHA256", "CRC64NVME"):
    try:
        s3.put_object(Bucket=BUCKET, Key=f"sum/{algorithm}", Body=body, ChecksumAlgorithm=algorithm)
    except MissingDependencyException:
        pass  # botocore needs its C extension for this algorithm
refused(
    "BadDigest",
    s3.put_object,
    Bucket=BUCKET,
    Key="bad-sum",
    Body=b"x",
    ChecksumCRC32="AAAAAA==",
)
refused("NoSuchKey", s3.get_object, Bucket=BUCKET, Key="bad-sum")

# conditions
s3.put_object(Bucket=BUCKET, Key="once", Body=b"1", IfNoneMatch="*")
refused("PreconditionFailed", s3.put_object, Bucket=BUCKET, Key="once", Body=b"2", IfNoneMatch="*")
etag = s3.head_object(Bucket=BUCKET, Key="once")["ETag"]
s3.put_object(Bucket=BUCKET, Key="once", Body=b"3", IfMatch=etag)
refused("PreconditionFailed", s3.put_object, Bucket=BUCKET, Key="once", Body=b"4", IfMatch=etag)
refused("304", s3.get_object, Bucket=BUCKET, Key="once", IfNoneMatch=s3.head_object(Bucket=BUCKET, Key="once")["ETag"])
assert s3.get_object(Bucket=BUCKET, Key="once")["Body"].read() == b"3"

# keys that hurt, listed in UTF-8 binary order
HURTING = [
    "a/b",
    "a/b/c",
    "//",
    "/lead",
    "..",
    "../up",
    "./here",
    "p+lus",
    "per%cent",
    "per%2Fcent",
    "sp ace",
    "umlaut-ü",
    "treble-𝄞",
    "private-\uffee",
    "trailing/",
    "q?uestion",
    "h#ash",
    "semi;colon",
    "amp&<>\"'",
    "back\\slash",
    "k" * 1024,
]
for key in HURTING:
    s3.put_object(Bucket=BUCKET, Key="hurt/" + key if len(key) < 1000 else key, Body=key.encode())
for key in HURTING:
    name = "hurt/" + key if len(key) < 1000 else key
    assert s3.get_object(Bucket=BUCKET, Key=name)["Body"].read() == key.encode(), key
listed = [item["Key"] for item in s3.list_objects_v2(Bucket=BUCKET, Prefix="hurt/")["Contents"]]
expected = sorted(("hurt/" + key for key in HURTING if len(key) < 1000), key=lambda k: k.encode())
assert listed == expected, (listed, expected)
refused("KeyTooLongError", s3.put_object, Bucket=BUCKET, Key="k" * 1025, Body=b"")
page = s3.list_objects_v2(Bucket=BUCKET, Prefix="hurt/", Delimiter="/")
assert {p["Prefix"] for p in page["CommonPrefixes"]} == {
    "hurt/a/", "hurt//", "hurt/../", "hurt/./", "hurt/trailing/",
}, page["CommonPrefixes"]

# paging, both versions
keys = [f"page/{n:04d}" for n in range(250)]
for key in keys:
    s3.put_object(Bucket=BUCKET, Key=key, Body=b"")
for version in ("list_objects_v2", "list_objects"):
    found = []
    for part in s3.get_paginator(version).paginate(Bucket=BUCKET, Prefix="page/", PaginationConfig={"PageSize": 33}):
        found += [item["Key"] for item in part.get("Contents", [])]
    assert found == keys, version

# copy
s3.copy_object(Bucket=BUCKET, Key="copy ü+", CopySource={"Bucket": BUCKET, "Key": "hurt/p+lus"})
assert s3.get_object(Bucket=BUCKET, Key="copy ü+")["Body"].read() == b"p+lus"
s3.copy_object(
    Bucket=BUCKET, Key="plain", CopySource={"Bucket": BUCKET, "Key": "plain"},
    MetadataDirective="REPLACE", Metadata={"new": "yes"}, ContentType="text/plain",
)
replaced = s3.head_object(Bucket=BUCKET, Key="plain")
assert replaced["Metadata"] == {"new": "yes"} and replaced["ContentType"] == "text/plain"
refused("InvalidRequest", s3.copy_object, Bucket=BUCKET, Key="plain", CopySource=f"{BUCKET}/plain")
refused("NoSuchKey", s3.copy_object, Bucket=BUCKET, Key="x", CopySource=f"{BUCKET}/absent")

# multipart of 200 MB through the transfer manager, in parallel
big = os.urandom(1 << 20) * 200
s3.upload_fileobj(
    io.BytesIO(big), BUCKET, "big",
    Config=TransferConfig(multipart_threshold=8 << 20, multipart_chunksize=8 << 20, max_concurrency=8),
)
head = s3.head_object(Bucket=BUCKET, Key="big")
assert head["ContentLength"] == len(big)
digests = b"".join(hashlib.md5(big[at:at + (8 << 20)]).digest() for at in range(0, len(big), 8 << 20))
assert head["ETag"] == f'"{hashlib.md5(digests).hexdigest()}-{-(-len(big) // (8 << 20))}"', head["ETag"]
back = io.BytesIO()
s3.download_fileobj(BUCKET, "big", back)
assert hashlib.sha256(back.getvalue()).digest() == hashlib.sha256(big).digest()
second = s3.get_object(Bucket=BUCKET, Key="big", PartNumber=2)
assert second["PartsCount"] == 25 and second["Body"].read() == big[8 << 20:16 << 20]

# multipart by hand: part copy, listings, wrong order, too small, abort
upload = s3.create_multipart_upload(Bucket=BUCKET, Key="by-hand", ContentType="text/x-parts")["UploadId"]
one = s3.upload_part_copy(
    Bucket=BUCKET, Key="by-hand", UploadId=upload, PartNumber=1,
    CopySource=f"{BUCKET}/big", CopySourceRange=f"bytes=0-{(5 << 20) - 1}",
)["CopyPartResult"]["ETag"]
two = s3.upload_part(Bucket=BUCKET, Key="by-hand", UploadId=upload, PartNumber=2, Body=b"tail")["ETag"]
assert [p["PartNumber"] for p in s3.list_parts(Bucket=BUCKET, Key="by-hand", UploadId=upload)["Parts"]] == [1, 2]
assert [u["Key"] for u in s3.list_multipart_uploads(Bucket=BUCKET)["Uploads"]] == ["by-hand"]
refused(
    "InvalidPartOrder", s3.complete_multipart_upload, Bucket=BUCKET, Key="by-hand", UploadId=upload,
    MultipartUpload={"Parts": [{"PartNumber": 2, "ETag": two}, {"PartNumber": 1, "ETag": one}]},
)
refused(
    "InvalidPart", s3.complete_multipart_upload, Bucket=BUCKET, Key="by-hand", UploadId=upload,
    MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": two}]},
)
s3.complete_multipart_upload(
    Bucket=BUCKET, Key="by-hand", UploadId=upload,
    MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": one}, {"PartNumber": 2, "ETag": two}]},
)
joined = s3.get_object(Bucket=BUCKET, Key="by-hand")
assert joined["ContentType"] == "text/x-parts"
assert joined["Body"].read() == big[: 5 << 20] + b"tail"
upload = s3.create_multipart_upload(Bucket=BUCKET, Key="small")["UploadId"]
etags = [
    s3.upload_part(Bucket=BUCKET, Key="small", UploadId=upload, PartNumber=n, Body=b"x")["ETag"] for n in (1, 2)
]
refused(
    "EntityTooSmall", s3.complete_multipart_upload, Bucket=BUCKET, Key="small", UploadId=upload,
    MultipartUpload={"Parts": [{"PartNumber": n + 1, "ETag": e} for n, e in enumerate(etags)]},
)
s3.abort_multipart_upload(Bucket=BUCKET, Key="small", UploadId=upload)
refused("NoSuchUpload", s3.list_parts, Bucket=BUCKET, Key="small", UploadId=upload)
refused("NoSuchKey", s3.get_object, Bucket=BUCKET, Key="small")

# presigned, and what a stranger gets
import urllib.error
import urllib.request

url = s3.generate_presigned_url("get_object", Params={"Bucket": BUCKET, "Key": "hurt/p+lus"}, ExpiresIn=60)
assert urllib.request.urlopen(url).read() == b"p+lus"
put_url = s3.generate_presigned_url("put_object", Params={"Bucket": BUCKET, "Key": "presigned"}, ExpiresIn=60)
urllib.request.urlopen(urllib.request.Request(put_url, data=b"by url", method="PUT"))
assert s3.get_object(Bucket=BUCKET, Key="presigned")["Body"].read() == b"by url"
for bad in (url[:-4] + "0000", url.split("?")[0]):
    try:
        urllib.request.urlopen(bad)
        raise AssertionError("a stranger was let in")
    except urllib.error.HTTPError as error:
        assert error.code == 403, error.code

# what is not built says so
refused("NotImplemented", s3.put_bucket_versioning, Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
refused("NotImplemented", s3.put_object, Bucket=BUCKET, Key="sse", Body=b"", ServerSideEncryption="AES256")
refused("NotImplemented", s3.select_object_content, Bucket=BUCKET, Key="plain", ExpressionType="SQL",
        Expression="select 1", InputSerialization={"CSV": {}}, OutputSerialization={"CSV": {}})

# delete
refused("BucketNotEmpty", s3.delete_bucket, Bucket=BUCKET)
while True:
    page = s3.list_objects_v2(Bucket=BUCKET)
    if not page.get("Contents"):
        break
    answer = s3.delete_objects(Bucket=BUCKET, Delete={"Objects": [{"Key": i["Key"]} for i in page["Contents"]]})
    assert "Errors" not in answer, answer
s3.delete_object(Bucket=BUCKET, Key="absent")
s3.delete_bucket(Bucket=BUCKET)
refused("404", s3.head_bucket, Bucket=BUCKET)
print("held")
