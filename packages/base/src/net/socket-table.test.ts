import { expect, test } from "bun:test";
import { isLoopbackAddress } from "./peer-users.ts";
import { findSocketOwner, socketTableNeedles } from "./socket-table.ts";

// Rows as Linux writes them: a listener, the server's end, the client's end, and one that is closing.
const TCP = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:2328 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 100 1 0 100 0 0 10 0
   1: 0100007F:2328 0100007F:D431 01 00000000:00000000 00:00000000 00000000  1000        0 101 1 0 20 4 30 10 -1
   2: 0100007F:D431 0100007F:2328 01 00000000:00000000 00:00000000 00000000  1001        0 102 1 0 20 4 30 10 -1
   3: 0100007F:D432 0100007F:2328 05 00000000:00000000 00:00000000 00000000  1002        0 103 1 0 20 4 30 10 -1
`;
const CONNECTION = {
  remoteAddress: "127.0.0.1",
  remotePort: 0xd431,
  localAddress: "127.0.0.1",
  localPort: 0x2328,
};

test("the owner is taken from the client's row, not from the server's", () => {
  const { inTcp } = socketTableNeedles(CONNECTION);
  expect(inTcp).toBe(" 0100007F:D431 0100007F:2328 01 ");
  expect(findSocketOwner(TCP, inTcp ?? "")).toBe(1001);
});

test("a connection that is closing, or that is not there, has no owner", () => {
  for (const remotePort of [0xd432, 0xd433]) {
    const { inTcp } = socketTableNeedles({ ...CONNECTION, remotePort });
    expect(findSocketOwner(TCP, inTcp ?? "")).toBeUndefined();
  }
});

test("addresses of both families read as the kernel writes them", () => {
  expect(socketTableNeedles({ ...CONNECTION, remoteAddress: "127.1.2.3" }).inTcp).toBe(
    " 0302017F:D431 0100007F:2328 01 ",
  );
  const mapped = "::ffff:127.0.0.1";
  expect(
    socketTableNeedles({ ...CONNECTION, remoteAddress: mapped, localAddress: mapped }),
  ).toEqual(socketTableNeedles(CONNECTION));
  expect(socketTableNeedles(CONNECTION).inTcp6).toBe(
    " 0000000000000000FFFF00000100007F:D431 0000000000000000FFFF00000100007F:2328 01 ",
  );
  expect(socketTableNeedles({ ...CONNECTION, remoteAddress: "::1", localAddress: "::1" })).toEqual({
    inTcp: undefined,
    inTcp6: " 00000000000000000000000001000000:D431 00000000000000000000000001000000:2328 01 ",
  });
});

test.each(["", "localhost", "127.0.0.256", "fe80::1", "1.2.3"])(
  "%p is looked for nowhere",
  (address) => {
    expect(socketTableNeedles({ ...CONNECTION, remoteAddress: address })).toEqual({
      inTcp: undefined,
      inTcp6: undefined,
    });
  },
);

test("a row that is cut short has no owner", () => {
  const { inTcp = "" } = socketTableNeedles(CONNECTION);
  expect(findSocketOwner(`   2:${inTcp}00000000:00000000 00:00000000\n`, inTcp)).toBeUndefined();
});

test("a socket that its owner let go of is not root's, whom the kernel writes there", () => {
  const { inTcp = "" } = socketTableNeedles(CONNECTION);
  const row = (inode: number): string =>
    `   2:${inTcp}00000000:00000000 00:00000000 00000000     0        0 ${inode} 1 0 20 4 30 10 -1\n`;
  expect(findSocketOwner(row(0), inTcp)).toBeUndefined();
  expect(findSocketOwner(row(102), inTcp)).toBe(0);
});

test.each([
  ["127.0.0.1", true],
  ["127.9.8.7", true],
  ["::1", true],
  ["::ffff:127.0.0.1", true],
  ["::FFFF:127.0.0.1", true],
  ["128.0.0.1", false],
  ["::ffff:10.0.0.1", false],
  ["127.0.0.1.example.org", false],
  ["::", false],
  ["", false],
])("%p is loopback: %p", (address, expected) => {
  expect(isLoopbackAddress(address)).toBe(expected);
});
