import { expect, test } from "bun:test";
import { SEAL_OVERHEAD_BYTES } from "../aead.ts";
import { hex, utf8 } from "../bytes.ts";
import { systemAead } from "./aead.ts";

const KEY = new Uint8Array(32).fill(7);
const NONCE = new Uint8Array(12).fill(9);
const CONTEXT = utf8("here");

/** Longer than one step of the implementation, and no multiple of it. */
const DATA = Uint8Array.from({ length: 200_001 }, (_, index) => (index * 31) & 0xff);

function bytesOf(text: string): Uint8Array {
  return Buffer.from(text, "hex");
}

// McGrew and Viega, "The Galois/Counter Mode of Operation", test case 16: 256-bit key, with additional data.
test("sealed bytes are those of the published test vector, framed by nonce and tag", () => {
  const sealed = systemAead.seal({
    key: bytesOf("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308"),
    nonce: bytesOf("cafebabefacedbaddecaf888"),
    data: bytesOf(
      "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
    ),
    context: bytesOf("feedfacedeadbeeffeedfacedeadbeefabaddad2"),
  });
  expect(hex(sealed)).toBe(
    "cafebabefacedbaddecaf888" +
      "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662" +
      "76fc6ece0f4e1768cddf8853bb2d551b",
  );
});

test("what was sealed opens, in fresh memory or in its own", () => {
  const sealed = systemAead.seal({ key: KEY, nonce: NONCE, data: DATA, context: CONTEXT });
  expect(sealed.length).toBe(DATA.length + SEAL_OVERHEAD_BYTES);
  const kept = systemAead.open({ key: KEY, sealed, context: CONTEXT });
  expect(Buffer.from(kept ?? []).equals(DATA)).toBe(true);
  const taken = systemAead.open({ key: KEY, sealed, context: CONTEXT, memory: "taken" });
  expect(taken?.buffer).toBe(sealed.buffer as ArrayBuffer);
  expect(Buffer.from(taken ?? []).equals(DATA)).toBe(true);
});

test("nothing opens with another key, context, or any changed byte", () => {
  const data = DATA.subarray(0, 40);
  const sealed = systemAead.seal({ key: KEY, nonce: NONCE, data, context: CONTEXT });
  expect(systemAead.open({ key: KEY.slice().fill(8), sealed, context: CONTEXT })).toBeUndefined();
  expect(systemAead.open({ key: KEY, sealed, context: utf8("there") })).toBeUndefined();
  for (let index = 0; index < sealed.length; index += 1) {
    const changed = sealed.slice();
    changed[index] = (changed[index] ?? 0) ^ 1;
    expect(systemAead.open({ key: KEY, sealed: changed, context: CONTEXT })).toBeUndefined();
  }
  for (let length = 0; length < sealed.length; length += 1) {
    const cut = sealed.slice(0, length);
    expect(systemAead.open({ key: KEY, sealed: cut, context: CONTEXT })).toBeUndefined();
  }
});

test("memory that was taken holds nothing of what did not open", () => {
  const sealed = systemAead.seal({ key: KEY, nonce: NONCE, data: DATA, context: CONTEXT });
  const last = sealed.length - 1;
  sealed[last] = (sealed[last] ?? 0) ^ 1;
  systemAead.open({ key: KEY, sealed, context: CONTEXT, memory: "taken" });
  expect(sealed.subarray(12, -16).every((byte) => byte === 0)).toBe(true);
});
