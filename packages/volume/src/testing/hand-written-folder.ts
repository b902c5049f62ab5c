import { mkdirSync, writeFileSync } from "node:fs";

/**
 * A folder of volumes whose every byte was computed by hand from the format, with none of this room's code, so that a
 * mistake in reading cannot agree with one in writing. Checksums are published ones: CRC-32C of "123456789" is
 * e3069283, of 32 zeros 8a9136aa, of 32 bytes ff 62a8ab43, of 00 … 1f 46dd794e (RFC 3720, B.4), of "a" c1d04330.
 */
export function writeHandWrittenFolder(folder: string): void {
  mkdirSync(folder, { recursive: true });
  for (const [name, hexText] of Object.entries(FILES)) {
    writeFileSync(`${folder}/${name}`, Buffer.from(hexText.replaceAll(/#.*|\s/g, ""), "hex"));
  }
  writeFileSync(`${folder}/3.vif`, VIF);
  writeFileSync(`${folder}/old_2.vif`, `{"BytesOffset": 4, "DestroyTime": "0"}`);
}

const FILES: Readonly<Record<string, string>> = {
  "3.dat": `
    03 00 0000 0000 0000                                    # version 3
    11111111 0000000000000001 0000000e                      # at 8: needle 1, body of 4 + 9 + 1
    00000009 313233343536373839 00
    e3069283 1728391a2b3c4d00 0000000e0000                  # 42 bytes and 6
    22222222 0000000000000002 00000047                      # at 56: needle 2, body of 4 + 32 + 35
    00000020 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f
    2e 05 682e62696e 03 612f62 0065000000                   # name h.bin, type a/b, modified
    0011 7b22536561776565642d6b223a2276227d                 # {"Seaweed-k":"v"}
    46dd794e 1728391a2b3c4d01 0000004700                    # 99 bytes and 5
    11111111 0000000000000001 00000000                      # at 160: needle 1 removed
    e3069283 1728391a2b3c4d02 00000000
    33333333 0000000000000003 00000006                      # at 192: needle 3
    00000001 61 00 c1d04330 1728391a2b3c4d03 000000060000
    33333333 0000000000000003 00000025                      # at 232: needle 3 overwritten
    00000020 ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff 00
    62a8ab43 1728391a2b3c4d04 00000025000000                # 65 bytes and 7
    44444444 0000000000000004 00000000                      # at 304: needle 4, empty
    00000000 1728391a2b3c4d05 00000000`,
  "3.idx": `
    0000000000000001 00000001 0000000e
    0000000000000002 00000007 00000047
    0000000000000001 00000014 ffffffff
    0000000000000003 00000018 00000006
    0000000000000003 0000001d 00000025
    0000000000000004 00000026 00000000`,
  "old_2.dat": `
    02 01 0000 0001 0008 0a06080210041807                   # version 2, one copy more, vacuumed once, 8 bytes extra
    55555555 0000000000000005 00000015                      # at 16: body of 4 + 9 + 8
    00000009 313233343536373839 0a 01 61 0065000000         # name a, modified
    e3069283 65000000000000                                 # 41 bytes and 7
    66666666 0000000000000006 00000006                      # at 64
    00000001 61 00 28e46e78 000000000000                    # the older checksum: rotated, plus a282ead8
    66666666 0000000000000006 00000000 c1d04330 00000006    # at 96: needle 6 removed`,
  "old_2.idx": `
    0000000000000005 00000002 00000015
    0000000000000006 00000008 00000006
    0000000000000006 0000000c ffffffff`,
  // Without an index file.
  "old_1.dat": `
    01 00 0000 0000 0010                                    # version 1: the last two bytes mean nothing
    77777777 0000000000000007 00000009                      # at 8
    313233343536373839 c78ab0e5 000000                      # the older checksum
    88888888 0000000000000008 00000020                      # at 40
    0000000000000000000000000000000000000000000000000000000000000000
    8a9136aa 00000000`,
  "week_4.dat": `
    03 00 0104 0000 0000                                    # all in it lives a week
    99999999 0000000000000009 00000008                      # at 8: body of 4 + 1 + 3
    00000001 61 10 0104 c1d04330 1728391a2b3c4d00 00000008`,
  "week_4.idx": "0000000000000009 00000001 00000008",
};

const VIF = `{
  "files": [],
  "version": 3,
  "replication": "010",
  "bytesOffset": 4,
  "datFileSize": "0",
  "expireAtSec": "0",
  "readOnly": false,
  "ecShardConfig": null,
  "readOnlyCanDelete": false
}`;
