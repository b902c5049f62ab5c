"""A SeaweedFS client library at work: what it says it does, done against the master named in KELP_MASTER_URL."""

import io
import json
import os
import tempfile
from urllib.parse import urlsplit

from pyseaweed import SeaweedFS

master = urlsplit(os.environ["KELP_MASTER_URL"])


def main():
    for use_session in (False, True):
        weed = SeaweedFS(master.hostname, master.port, use_session=use_session)
        assert weed.version, "no version"

        with tempfile.NamedTemporaryFile(suffix=".txt") as file:
            file.write(b"from a file")
            file.flush()
            by_path = weed.upload_file(path=file.name)
        assert weed.get_file(by_path) == b"from a file"

        content = os.urandom(300_000)
        fid = weed.upload_file(stream=io.BytesIO(content), name="n\u00e4me.bin", collection="py", ttl="1d")
        assert fid, "not uploaded"
        assert weed.get_file(fid) == content
        assert weed.get_file_size(fid) == len(content)
        assert weed.file_exists(fid)
        assert weed.get_file_url(fid).endswith("/" + fid)

        assert weed.delete_file(fid)
        assert not weed.file_exists(fid)
        assert weed.get_file(fid) is None
    print(json.dumps({"ok": True}))


main()
