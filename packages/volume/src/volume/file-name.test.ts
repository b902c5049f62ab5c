import { expect, test } from "bun:test";
import { volumeId } from "@kelp/wire";
import { extensionOf, isCollection, parseDataFileName, volumeFileName } from "./file-name.ts";

test.each([
  ["7.dat", "", 7],
  ["pictures_7.dat", "pictures", 7],
  ["my_own_pictures_4294967295.dat", "my_own_pictures", 4_294_967_295],
  ["a.b-c_1.dat", "a.b-c", 1],
])("%s is a volume file", (name, collection, id) => {
  expect(parseDataFileName(name)).toEqual({ collection, id: volumeId(id) });
  expect(`${volumeFileName(collection, volumeId(id))}.dat`).toBe(name);
});

test.each([
  "0.dat",
  "07.dat",
  "4294967296.dat",
  "_7.dat",
  "x7.dat",
  "7.idx",
  "7.dat.tmp",
  "a/b_7.dat",
  ".x_7.dat",
])("%s is no volume file", (name) => {
  expect(parseDataFileName(name)).toBeUndefined();
});

test.each(["../x", "a/b", "a b", ".", "-x", "a\0", "é", "x".repeat(201)])(
  "%j is no collection",
  (collection) => {
    expect(isCollection(collection)).toBe(false);
  },
);

test("files of a volume are told from those of a collection that begins with its name", () => {
  for (const extension of ["dat", "ec00", "idx.tmp", "vif.123.tmp"]) {
    expect(extensionOf(`1.${extension}`, "1")).toBe(extension);
    expect(extensionOf(`a_1.${extension}`, "a_1")).toBe(extension);
    for (const other of ["11", "1.b_2", "1.b.c_22", "1.b_2_3", "1"]) {
      const name = other === "1" ? `b_1.${extension}` : `${other}.${extension}`;
      expect(extensionOf(name, "1")).toBeUndefined();
    }
  }
});
